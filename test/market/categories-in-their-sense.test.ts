import { describe, expect, test } from 'vitest'
import { CATALYST_TYPES } from '../../src/domains/market/catalyst-categories.js'
import { classify } from '../../src/domains/market/catalyst-score.js'
import { readHeadline } from '../../src/domains/market/headline.js'
import { LABELLED_HEADLINES, type LabelledHeadline } from './labelled-headlines.js'

const categoryOf = (headline: string, keywords: string[] = []) =>
  classify(headline, readHeadline(headline, 'Some Wire'), keywords).type ?? 'none'

/** Of the categories told, how many are right; of those there are, how many are told. */
function figuresOf(headlines: readonly LabelledHeadline[], category?: string) {
  let [right, told, there] = [0, 0, 0]
  for (const { headline, label } of headlines) {
    const answer = categoryOf(headline)
    const counts = (name: string) =>
      name !== 'none' && (category === undefined || name === category)
    if (counts(answer)) told++
    if (counts(label)) there++
    if (counts(label) && answer === label) right++
  }
  return { precision: right / told, recall: right / there }
}

describe('the labelled headlines', () => {
  test('are at least 300, of every category, with hard ones of none', () => {
    expect(new Set(LABELLED_HEADLINES.map(({ headline }) => headline)).size).toBeGreaterThan(300)
    for (const category of [...CATALYST_TYPES, 'none']) {
      const own = LABELLED_HEADLINES.filter(({ label }) => label === category)
      expect(own.length, category).toBeGreaterThanOrEqual(20)
    }
  })

  test.each([
    ['all', LABELLED_HEADLINES],
    ['held out', LABELLED_HEADLINES.filter(({ isHeldOut }) => isHeldOut)],
  ])('of which %s are told with a precision and a recall of 0.9 at least', (_, headlines) => {
    const { precision, recall } = figuresOf(headlines)
    expect(precision).toBeGreaterThanOrEqual(0.9)
    expect(recall).toBeGreaterThanOrEqual(0.9)
  })

  test.each([...CATALYST_TYPES])('of %s are told as such', (category) => {
    const { precision, recall } = figuresOf(LABELLED_HEADLINES, category)
    expect(precision).toBeGreaterThanOrEqual(0.85)
    expect(recall).toBeGreaterThanOrEqual(0.85)
  })
})

test.each([
  ['Robert M. A. Johnson joins the board', 'none'],
  ['Customer acquisition costs climb', 'none'],
  ['Stocks settle at a record high', 'none'],
  ['Acme buys Beta', 'merger'],
  ['F.D.A. to decide in June', 'fda'],
  ['Acme net income rises', 'earnings'],
  ['Acme explores M&A', 'merger'],
  ['World has new top banana as Chiquita, Fyffes merge', 'merger'],
  ['Acme snaps up AI startup', 'merger'],
  ['Acme in talks to take over Gamma', 'merger'],
  ['3 Stocks to Put on Your Buy List', 'none'],
  ['Acme Is Offering 50% Off With Purchase Of Titanfall', 'none'],
  ['The merger of art and technology', 'none'],
  ["Lessons from Buffett's 2024 Stock Sales", 'none'],
  ['Dicks Revenue in Fourth Quarter Tops Wall Street', 'earnings'],
  ['Follow suit: banks copy Fed stance', 'none'],
  ['Moral bankruptcy of politics debated', 'none'],
  ['Dividend Avenue closed for repairs', 'none'],
  ['US health regulator clears Acme vaccine', 'fda'],
])('%j is news of %s', (headline, category) => {
  expect(categoryOf(headline)).toBe(category)
})

test('a keyword counts by its sense as well', () => {
  expect(categoryOf('Acme says nothing', ['takeover'])).toBe('merger')
  expect(categoryOf('Acme says nothing', ['M&A'])).toBe('merger')
  expect(categoryOf('Acme says nothing', ['customer acquisition costs'])).toBe('none')
})

test('a hostile headline is read in time that grows with its length alone', () => {
  for (const part of [
    'to sell a ',
    'net income ',
    'ceo sells ',
    'launches new ',
    'q2 a ',
    'raises x ',
  ]) {
    const short = part.repeat(20)
    const long = part.repeat(Math.floor(2000 / part.length))
    expect(categoryOf(long)).toBe(categoryOf(short))
  }
})
