import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { newsId, normalizeHeadline } from '../../src/domains/market/headline.js'

const norm = (headline: string, source = 'Reuters') => normalizeHeadline(headline, source)

describe('the norm of a headline', () => {
  test.each([
    ['Apple beats estimates', 'apple beats estimates'],
    ['  APPLE   beats,  estimates!! ', 'apple beats estimates'],
    ['UPDATE 2 - Apple beats estimates', 'apple beats estimates'],
    ['UPDATE 1-Apple beats estimates', 'apple beats estimates'],
    ['BREAKING: Apple beats estimates', 'apple beats estimates'],
    ['Breaking: Update 3 - Apple beats estimates', 'apple beats estimates'],
    ['Apple beats estimates - Reuters', 'apple beats estimates'],
    ['Apple beats estimates — Bloomberg News', 'apple beats estimates'],
    // NFKC: full-width letters and ligatures.
    ['Ａｐｐｌｅ ﬁnds a buyer', 'apple finds a buyer'],
    ['Apple\u200b beats\u00ad estimates', 'apple beats estimates'],
    // A tail that names no source belongs to the story.
    ['Apple - Strong Buy', 'apple strong buy'],
    ['Update on Apple', 'update on apple'],
    ['Breaking records at Apple', 'breaking records at apple'],
    // Without a word a headline still stands for itself.
    ['???', '???'],
    ['Breaking:', 'breaking'],
  ])('of %j is %j', (headline, expected) => {
    expect(norm(headline)).toBe(expected)
  })

  test("the tail is dropped when it names the article's own source, known or not", () => {
    expect(norm('Apple beats estimates - Acme Wire', 'ACME wire')).toBe('apple beats estimates')
    expect(norm('Apple beats estimates - Acme Wire', 'Other')).toBe(
      'apple beats estimates acme wire',
    )
  })

  test('is its own norm, and never empty for a visible headline', () => {
    const headlines = fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' }))
    fc.assert(
      fc.property(headlines, (headline) => {
        const once = norm(headline)
        expect(norm(once)).toBe(once)
        expect(once).not.toMatch(/\n/)
      }),
      { numRuns: 2_000 },
    )
  })

  test('is the same for plain ASCII as for the full-width form of it', () => {
    const wide = (text: string) =>
      [...text].map((c) => (c === ' ' ? c : String.fromCharCode(c.charCodeAt(0) + 0xfee0))).join('')
    fc.assert(
      fc.property(fc.stringMatching(/^[!-~][ -~]{0,40}[!-~]$/), (text) => {
        expect(norm(wide(text))).toBe(norm(text))
      }),
    )
  })

  // Expressions that go back and forth over a text do not come to an end with these.
  test.each([
    [' '.repeat(1998), 'x x'],
    [' - '.repeat(666), 'x x'],
    ['breaking:'.repeat(222), `x${'breaking '.repeat(222)}x`],
    ['update '.repeat(285), `x${'update '.repeat(285)}x`],
    [' update 1 -'.repeat(180), `x${' update 1'.repeat(180)} x`],
    ['\ufdfa'.repeat(1998), `x${'\ufdfa'.repeat(1998).normalize('NFKC')}x`],
  ])('of a hostile headline is what it would be of a short one (%#)', (middle, expected) => {
    expect(norm(`x${middle}x`)).toBe(expected)
  })

  test('does not depend on case, spacing or a breaking: in front', () => {
    const words = fc.array(fc.stringMatching(/^[a-z]{1,8}$/), { minLength: 1, maxLength: 12 })
    fc.assert(
      fc.property(words, (list) => {
        expect(norm(`BREAKING: ${list.join('  ').toUpperCase()}!`)).toBe(norm(list.join(' ')))
      }),
    )
  })
})

describe('signs in the norm', () => {
  test.each([
    ['Acme +1.2%', 'acme plus 1 2'],
    ['Acme -1.2%', 'acme minus 1 2'],
    ['Acme \u22121.2%', 'acme minus 1 2'],
    ['Acme \u20131.2%', 'acme minus 1 2'],
    ['Acme －１.２％', 'acme minus 1 2'],
    ['Acme ＋１.２％', 'acme plus 1 2'],
    ['Acme ($0.50)', 'acme minus 0 50'],
    ['Acme -$0.50', 'acme minus 0 50'],
    ['Acme $-0.50', 'acme minus 0 50'],
    ['Acme (-$0.50)', 'acme minus 0 50'],
    ['Acme （＄0.50）', 'acme minus 0 50'],
    ['Acme -US$0.50', 'acme minus us 0 50'],
    ['Acme (€1.2 billion)', 'acme minus € 1 2 billion'],
    ['Acme €1.2 billion', 'acme € 1 2 billion'],
    ['Acme -.5%', 'acme minus 0 5'],
    ['Acme EPS $.50', 'acme eps 0 50'],
    ['Acme margin .5%', 'acme margin 0 5'],
    ['Acme + 1.2%', 'acme plus 1 2'],
    ['Acme - 1.2%', 'acme minus 1 2'],
    ['Acme ($ 0.50)', 'acme minus 0 50'],
    ['Acme (0.50 USD)', 'acme minus 0 50 usd'],
    ['Acme (50c)', 'acme minus 50c'],
    ['Acme cut to BBB-', 'acme cut to bbbminus'],
    ['Acme cut to BBB+, outlook stable', 'acme cut to bbbplus outlook stable'],
    ['Acme P/E <10', 'acme p e lessthan 10'],
    ['Acme P/E >10', 'acme p e morethan 10'],
    ['Acme P/E ≤ 10', 'acme p e atmost 10'],
    ['Acme P/E ≥10', 'acme p e atleast 10'],
    ['Acme 🡅', 'acme up'],
    ['Acme 🡇', 'acme down'],
    ['Acme ▲ 3%', 'acme up 3'],
    ['Acme ▼3%', 'acme down 3'],
    ['Acme △3', 'acme up 3'],
    ['Acme ▽3', 'acme down 3'],
    ['⬆️ Acme', 'up acme'],
    ['⬇️ Acme', 'down acme'],
    ['Acme ↑↓', 'acme up down'],
    ['📈 Acme', 'up acme'],
    ['📉 Acme', 'down acme'],
    ['Acme 🔺', 'acme up'],
    ['Acme 🔻', 'acme down'],
    ['👍🏽 Acme', 'up acme'],
  ])('of %j is %j', (headline, expected) => {
    expect(norm(headline)).toBe(expected)
  })

  test.each([
    ['A follow-up to Q2-Q3', 'a follow up to q2 q3'],
    ['Acme sees 10-12% growth', 'acme sees 10 12 growth'],
    ['Acme sees 10%-12%, $5-$6 and 3\u20134', 'acme sees 10 12 5 6 and 3 4'],
    ['Due 2024-08-12', 'due 2024 08 12'],
    ['Boeing 737-800', 'boeing 737 800'],
    ['Call 555-1234 or (555) 123-4567', 'call 555 1234 or 555 123 4567'],
    ['Call +1 800 555-0199', 'call 1 800 555 0199'],
    ['S&P 500 - Reuters', 's p 500'],
    ['Beta (BTA) in (2024) \u20145 things', 'beta bta in 2024 5 things'],
    ['Disney+ and C++', 'disney and c'],
    ['Acme - 5 things to know', 'acme 5 things to know'],
    ['Acme => 10 ideas', 'acme 10 ideas'],
    ['UPDATE 2-Five stocks', 'five stocks'],
  ])('are not seen in %j', (headline, expected) => {
    expect(norm(headline)).toBe(expected)
  })

  const amounts = fc
    .record({
      currency: fc.constantFrom('', '$', '€', '£', 'US$'),
      units: fc.nat(999),
      cents: fc.nat(99),
      scale: fc.constantFrom('', '%', 'bn', ' million'),
    })
    .map(({ currency, units, cents, scale }) => `${currency}${units}.${cents}${scale}`)
  const around = fc.stringMatching(/^[a-z]{1,8}( [a-z]{1,8}){0,3}$/)

  test('make a headline another one, however they are written', () => {
    fc.assert(
      fc.property(around, amounts, around, (before, amount, after) => {
        const told = (written: string) => norm(`${before} ${written} ${after}`)
        const minus = ['-', '\u2212', '\u2013', '－'].map((sign) => told(`${sign}${amount}`))
        expect(new Set([...minus, told(`(${amount})`), told(`(-${amount})`)]).size).toBe(1)
        expect(new Set([minus[0], told(`+${amount}`), told(amount)]).size).toBe(3)
        expect(told(`＋${amount}`)).toBe(told(`+${amount}`))
        for (const [up, down] of ['▲▼', '△▽', '⬆⬇', '↑↓'].map((pair) => [...pair])) {
          expect(told(`${up}${amount}`)).toBe(told(`▲ ${amount}`))
          expect(told(`${down}${amount}`)).toBe(told(`▼ ${amount}`))
        }
        expect(told(`▲${amount}`)).not.toBe(told(`▼${amount}`))
      }),
    )
  })

  test('are not made by hyphens inside words, ranges and dates', () => {
    const part = fc.stringMatching(/^[a-z0-9]{1,6}%?$/)
    const hyphens = fc.constantFrom('-', '\u2010', '\u2013')
    fc.assert(
      fc.property(part, hyphens, part, (left, hyphen, right) => {
        expect(norm(`x ${left}${hyphen}${right}`)).toBe(norm(`x ${left} ${right}`))
      }),
    )
  })
})

describe('news_id', () => {
  test('is a stable function of norm, source and millisecond', () => {
    const id = newsId('apple beats estimates', 1, 1_723_201_440_000)
    expect(id).toMatch(/^nws_[0-9a-f]{32}$/)
    expect(newsId('apple beats estimates', 1, 1_723_201_440_000)).toBe(id)
  })

  test('differs when any of the three differs', () => {
    const ids = [
      newsId('a', 1, 11),
      newsId('b', 1, 11),
      newsId('a', 2, 11),
      newsId('a', 1, 12),
      newsId('a', 11, 1),
      newsId('a 1', 1, 1),
    ]
    expect(new Set(ids).size).toBe(ids.length)
  })
})
