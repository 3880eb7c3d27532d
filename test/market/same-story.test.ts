import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Gist, gistOf } from '../../src/domains/market/gist.js'
import { readHeadline } from '../../src/domains/market/headline.js'
import {
  canConfirm,
  contradiction,
  isSameStory,
  likeness,
} from '../../src/domains/market/same-story.js'
import { mayBeAlike, packBits, termBits, unpackBits } from '../../src/domains/market/word-bits.js'

const gist = (headline: string): Gist => gistOf(readHeadline(headline, 'Some Wire').body)
const bits = (headline: string) => termBits(gist(headline).terms)
const between = (a: string, b: string) => contradiction(gist(a), gist(b))

const words = fc.uniqueArray(fc.stringMatching(/^x[b-f]{2,4}$/), { minLength: 1, maxLength: 30 })
/** Two headlines that share much, so that both sides of the border are drawn. */
const pairs = fc
  .record({ common: words, left: words, right: words, keep: fc.nat(8) })
  .map(({ common, left, right, keep }) => [
    [...new Set([...common, ...left.slice(0, keep)])].join(' '),
    [...new Set([...common, ...right.slice(0, keep)])].join(' '),
  ])

describe('likeness', () => {
  test('is the share of terms in common', () => {
    expect(likeness(gist('xbb xcc xdd xee'), gist('xbb xcc xdd xff'))).toBe(0.6)
    expect(likeness(gist('xbb xcc'), gist('xdd xee'))).toBe(0)
    expect(likeness(gist('xbb xcc xcc'), gist('xcc xbb'))).toBe(1)
  })

  test.each([
    ['Acme beats estimates', 'Acme Inc. tops expectations'],
    ['Acme posts second-quarter profit of $1.2bn', 'Acme posts Q2 profit of $1.2 billion'],
    ['Acme cuts 1,200 jobs', 'Acme is cutting 1200 jobs'],
    ['U.S. approves Acme drug', 'US approved the Acme drug'],
    ['Two killed at Acme plant', '2 killed at Acme plants'],
    ['Acme says margin rises 3 percent', 'Acme: margins rose 3%'],
  ])('is whole between %j and %j', (a, b) => {
    expect(likeness(gist(a), gist(b))).toBe(1)
    expect(isSameStory(gist(a), gist(b))).toBe(true)
  })

  test('is symmetric and lies between 0 and 1', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        const [one, other] = [gist(a), gist(b)]
        expect(likeness(one, other)).toBe(likeness(other, one))
        expect(likeness(one, other)).toBeGreaterThanOrEqual(0)
        expect(likeness(one, other)).toBeLessThanOrEqual(1)
        expect(contradiction(one, one)).toBeNull()
        expect(contradiction(one, other) === null).toBe(contradiction(other, one) === null)
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('one word in the place of another', () => {
  test.each([
    ['Judge rules for Acme in patent suit', 'Judge rules against Acme in patent suit'],
    ['Acme shareholders vote for Beta deal', 'Acme shareholders vote against Beta deal'],
    ['Acme union ratifies labor contract', 'Acme union rejects labor contract'],
    ['Court upholds Acme patent verdict', 'Court voids Acme patent verdict'],
    ['Court upheld Acme patent verdict', 'Court overturned Acme patent verdict'],
    ['Acme emerges from bankruptcy protection', 'Acme enters bankruptcy protection'],
    ['Nobody hurt in Acme plant blast', 'Five hurt in Acme plant blast'],
    ['Acme included in S&P 500 index', 'Acme removed from S&P 500 index'],
    ['S&P affirms Acme at BBB-', 'S&P affirms Acme at BBB+'],
    ['Acme raises A$5 billion in bond sale', 'Acme raises C$5 billion in bond sale'],
    ['Acme H1 profit rises on demand', 'Acme H2 profit rises on demand'],
    ['Acme drug effective in late trial', 'Acme drug ineffective in late trial'],
    ['Acme shares rise before Fed decision', 'Acme shares rise after Fed decision'],
    ['Acme sues Beta over phone patents', 'Beta sues Acme over phone patents'],
    ['Delta Air sues United Airlines over slots', 'United Airlines sues Delta Air over slots'],
    ['Acme net result of -USD 5 million', 'Acme net result of USD 5 million'],
    ['Acme net result of (Rs 5 million)', 'Acme net result of Rs 5 million'],
  ])('makes %j another story than %j', (a, b) => {
    expect(isSameStory(gist(a), gist(b))).toBe(false)
    expect(isSameStory(gist(b), gist(a))).toBe(false)
  })

  test.each([
    ['Acme shares slip on weak outlook', 'Acme shares down on weak outlook'],
    ['FDA clears Acme drug for sale', 'FDA approves Acme drug for sale'],
    ['Acme loses US$965m in Q2', 'Acme loses $965M in 2nd quarter'],
    ['Three hurt at Acme plant in Ohio', '3 hurt at Acme plant in Ohio'],
    ['On strong demand Acme shares rise', 'Acme shares rise on strong demand'],
    ['Acme to cut 500 jobs in Ohio', 'Acme is cutting 500 jobs in Ohio'],
    [
      'Acme unveils electric truck in Ohio, executives',
      'Acme unveils electric truck in Ohio, analysts',
    ],
  ])('is none between %j and %j', (a, b) => {
    expect(isSameStory(gist(a), gist(b))).toBe(true)
    expect(canConfirm(gist(a), gist(b))).toBe(true)
  })

  test.each([
    ['Acme unveils prototype of electric truck', 'Acme unveils concept of electric truck'],
    ['Acme drug zorvex enters trial', 'Acme drug bemvex enters trial'],
  ])('that no list knows makes no confirmation: %j, %j', (a, b) => {
    expect(isSameStory(gist(a), gist(b))).toBe(true)
    expect(canConfirm(gist(a), gist(b))).toBe(false)
  })
})

describe('a contradiction', () => {
  test.each([
    ['Acme beats Q2 estimates', 'Acme misses Q2 estimates'],
    ['Acme raises full-year outlook', 'Acme cuts full-year outlook'],
    ['Acme raised its outlook', 'Acme is slashing its outlook'],
    ['FDA approves Acme drug', 'FDA rejects Acme drug'],
    ['Acme wins patent case', 'Acme loses patent case'],
    ['Acme shares up in early trading', 'Acme shares down in early trading'],
    ['Acme shares rose', 'Acme shares fell'],
    ['Acme upgraded at Beta Bank', 'Acme downgraded at Beta Bank'],
    ['Beta Bank has a buy rating on Acme', 'Beta Bank has a sell rating on Acme'],
    ['Acme accepts takeover offer', 'Acme rejects takeover offer'],
    ['Acme posts quarterly gain', 'Acme posts quarterly loss'],
    ['Acme posts quarterly profit', 'Acme posts quarterly loss'],
    ['Acme hires 500 engineers', 'Acme fires 500 engineers'],
    ['Acme opens Ohio plant', 'Acme closes Ohio plant'],
    ['Acme to appeal ruling', 'Acme will not appeal ruling'],
    ['Acme can pay its debt', "Acme can't pay its debt"],
    ['Acme wins approval', 'Acme fails to win approval'],
    ['Acme Q2 profit rises', 'Acme Q3 profit rises'],
    ['Acme second-quarter profit rises', 'Acme third-quarter profit rises'],
    ['Acme 2023 sales', 'Acme 2024 sales'],
    ['Acme sales rise 5%', 'Acme sales rise 6%'],
    ['Acme makes $1.2bn', 'Acme makes $1.3 billion'],
    ['Acme makes $5 million', 'Acme makes $5 billion'],
    ['Acme cuts 500 jobs', 'Acme cuts 600 jobs'],
    ['Acme +1.2%', 'Acme -1.2%'],
    ['Acme EPS $0.50', 'Acme EPS ($0.50)'],
    ['Acme earnings ▲', 'Acme earnings ▼'],
    ['📈 Acme', '📉 Acme'],
  ])('is between %j and %j', (a, b) => {
    expect(between(a, b)).not.toBeNull()
    expect(isSameStory(gist(a), gist(b))).toBe(false)
  })

  test.each([
    ['Acme beats estimates', 'Acme tops estimates as cloud grows 5%'],
    ['Acme sales rise 5%', 'Acme sales rise'],
    ['Acme sales rise 5.2%', 'Acme sales rise 5%'],
    ['Acme to cut up to 500 jobs', 'Acme to cut 500 jobs'],
    ['Acme steps down as sponsor', 'Acme steps up as sponsor'],
    ['Acme Q2 profit', 'Acme profit'],
  ])('is not between %j and %j', (a, b) => {
    expect(between(a, b)).toBeNull()
  })
})

describe('term bits', () => {
  test('never rule out headlines that are alike', () => {
    let alike = 0
    fc.assert(
      fc.property(pairs, ([a = '', b = '']) => {
        if (likeness(gist(a), gist(b)) < 0.6) return
        alike++
        expect(mayBeAlike(bits(a), bits(b))).toBe(true)
      }),
      { numRuns: 2_000 },
    )
    expect(alike).toBeGreaterThan(200)
  })

  test('rule out nearly all headlines that have nothing in common', () => {
    const headline = (seed: number) =>
      Array.from({ length: 12 }, (_, i) => `word${seed * 100 + i}`).join(' ')
    const first = bits(headline(0))
    const passed = Array.from({ length: 1000 }, (_, i) => bits(headline(i + 1))).filter((other) =>
      mayBeAlike(first, other),
    )
    expect(passed.length).toBeLessThan(50)
  })

  test('survive being stored as one number', () => {
    fc.assert(
      fc.property(words, (list) => {
        const own = bits(list.join(' '))
        expect(Number.isSafeInteger(packBits(own))).toBe(true)
        expect(unpackBits(packBits(own), own.count)).toEqual(own)
      }),
    )
  })
})
