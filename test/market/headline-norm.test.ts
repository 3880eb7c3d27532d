import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { jaccard, newsId, normalizeHeadline } from '../../src/domains/market/headline.js'

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

describe('likeness of headlines', () => {
  test('is shared words over all words', () => {
    expect(jaccard('a b c d', 'a b c e')).toBe(0.6)
    expect(jaccard('a b', 'c d')).toBe(0)
    expect(jaccard('a b b', 'b a')).toBe(1)
  })

  test('is symmetric and lies between 0 and 1', () => {
    const norms = fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { minLength: 1 })
    fc.assert(
      fc.property(norms, norms, (a, b) => {
        const [normA, normB] = [a.join(' '), b.join(' ')]
        const likeness = jaccard(normA, normB)
        expect(likeness).toBe(jaccard(normB, normA))
        expect(likeness).toBeGreaterThanOrEqual(0)
        expect(likeness).toBeLessThanOrEqual(1)
      }),
    )
  })
})
