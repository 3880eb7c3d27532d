import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  catalystScore,
  classify,
  scoreComponents,
} from '../../src/domains/market/catalyst-score.js'
import { readHeadline } from '../../src/domains/market/headline.js'
import { MARKET_STATES } from '../../src/lib/market-clock.js'

const HOUR_MS = 3_600_000

describe('score v1', () => {
  test.each([
    [1, 0, 1.5, 'pre-market', 100],
    [1, 0, 1.2, 'regular', 40],
    [2, 0, 1.2, 'regular', 32],
    [3, 4, 1, 'after-hours', 5.886],
  ] as const)(
    'tier %d, %d h, keyword %d, %s gives %d',
    (tier, h, keyword_weight, market_state, score) => {
      const facts = { tier, age_ms: h * HOUR_MS, keyword_weight, market_state }
      expect(catalystScore(scoreComponents(facts))).toBe(score)
    },
  )

  test('a story from the near future counts as new', () => {
    const facts = { tier: 1, age_ms: -60_000, keyword_weight: 1, market_state: 'regular' } as const
    expect(scoreComponents(facts).recency).toBe(1)
  })

  const facts = fc.record({
    tier: fc.integer({ min: 1, max: 5 }),
    age_ms: fc.integer({ min: -300_000, max: 365 * 24 * HOUR_MS }),
    keyword_weight: fc.constantFrom(1, 1.2, 1.3, 1.5),
    market_state: fc.constantFrom(...MARKET_STATES),
  })

  test('lies between 0 and 100 with three decimals', () => {
    fc.assert(
      fc.property(facts, (story) => {
        const score = catalystScore(scoreComponents(story))
        return score >= 0 && score <= 100 && Number(score.toFixed(3)) === score
      }),
    )
  })

  test('never rises with age or with a worse tier', () => {
    fc.assert(
      fc.property(facts, fc.nat(48 * HOUR_MS), (story, later) => {
        const score = catalystScore(scoreComponents(story))
        const older = catalystScore(scoreComponents({ ...story, age_ms: story.age_ms + later }))
        const worse = catalystScore(
          scoreComponents({ ...story, tier: Math.min(5, story.tier + 1) }),
        )
        return older <= score && worse <= score
      }),
    )
  })
})

const classified = (headline: string, keywords: string[]) =>
  classify(headline, readHeadline(headline, 'Some Wire'), keywords)

describe('the catalyst of a story', () => {
  test.each([
    ['FDA approves a new drug', [], 'fda', 1.5],
    ['Apple to acquire Peloton', [], 'merger', 1.3],
    ['Apple beats estimates', [], 'earnings', 1.2],
    ['Apple says nothing', ['earnings'], 'earnings', 1.2],
    ['Apple says nothing', ['EARNINGS'], 'earnings', 1.2],
    ['Class action against Apple', [], 'legal', 1],
    ['Apple says nothing', ['gadgets'], null, 1],
    // The heaviest wins, whatever the order of the words.
    ['Earnings and an FDA decision in one week', [], 'fda', 1.5],
    // Equal weights: the fixed order decides.
    ['Dividend raised, analyst surprised', [], 'analyst', 1],
  ])('%s %j is about %s', (headline, keywords, type, weight) => {
    expect(classified(headline, keywords)).toEqual({ type, keyword_weight: weight })
  })

  test('only whole words count', () => {
    expect(
      classified('Shares of FDAX futures; emergers of Shipo; reproduction', []).type,
    ).toBeNull()
  })

  test('the last word of a phrase counts as a whole word too', () => {
    expect(classified('Form 40 was filed', []).type).toBeNull()
    expect(classified('Form 4 was filed', []).type).toBe('insider')
  })

  test('phrases match across punctuation', () => {
    expect(classified('Buyer files for CHAPTER-11 protection', []).type).toBe('bankruptcy')
  })

  test('the name of each category matches itself', () => {
    const names = [
      'earnings',
      'fda',
      'merger',
      'analyst',
      'insider',
      'legal',
      'product',
      'guidance',
    ]
    for (const name of [...names, 'partnership', 'ipo', 'bankruptcy', 'dividend']) {
      expect(classified('-', [name]).type).toBe(name)
    }
  })
})
