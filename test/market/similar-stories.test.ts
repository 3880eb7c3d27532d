import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { jaccard } from '../../src/domains/market/headline.js'
import { SimilarStories } from '../../src/domains/market/similar-stories.js'
import { mayBeAlike, packBits, unpackBits, wordBits } from '../../src/domains/market/word-bits.js'

const words = fc.uniqueArray(fc.stringMatching(/^[a-f]{1,3}$/), { minLength: 1, maxLength: 40 })

const normOf = (list: Iterable<string>): string => [...list].join(' ')

/** Two norms that share much, so that both sides of the border are drawn. */
const pairs = fc
  .record({ common: words, left: words, right: words, keep: fc.nat(8) })
  .map(({ common, left, right, keep }) => [
    normOf(new Set([...common, ...left.slice(0, keep)])),
    normOf(new Set([...common, ...right.slice(0, keep)])),
  ])

describe('word bits', () => {
  test('never rule out headlines that are alike', () => {
    let alike = 0
    fc.assert(
      fc.property(pairs, ([a = '', b = '']) => {
        if (jaccard(a, b) < 0.6) return
        alike++
        expect(mayBeAlike(wordBits(a), wordBits(b))).toBe(true)
      }),
      { numRuns: 2_000 },
    )
    expect(alike).toBeGreaterThan(200)
  })

  test('rule out nearly all headlines that have nothing in common', () => {
    const headline = (seed: number) =>
      normOf(Array.from({ length: 12 }, (_, i) => `word${seed * 100 + i}`))
    const first = wordBits(headline(0))
    const passed = Array.from({ length: 1000 }, (_, i) => wordBits(headline(i + 1))).filter(
      (bits) => mayBeAlike(first, bits),
    )
    expect(passed.length).toBeLessThan(50)
  })

  test('survive being stored as one number', () => {
    fc.assert(
      fc.property(words, (list) => {
        const bits = wordBits(normOf(list))
        expect(Number.isSafeInteger(packBits(bits))).toBe(true)
        expect(unpackBits(packBits(bits), bits.count)).toEqual(bits)
      }),
    )
  })
})

describe('similar stories', () => {
  const told = (source_id: number, text: string, published_ms = 0) => {
    return { source_id, published_ms, norm: text, bits: wordBits(text) }
  }

  test('the most alike comes first, then the nearest in time', () => {
    const stories = new SimilarStories<ReturnType<typeof told>>()
    const exact = told(2, 'a b c d', 9_000)
    const near = told(3, 'a b c d x', 1_000)
    const far = told(4, 'a b c d y', 8_000)
    for (const story of [far, exact, near]) stories.add(story)
    expect(stories.find(told(1, 'a b c d'))).toEqual([exact, near, far])
  })

  test('the own source and stories more than a day away do not count', () => {
    const stories = new SimilarStories<ReturnType<typeof told>>()
    stories.add(told(1, 'a b c d'))
    stories.add(told(2, 'a b c d', 24 * 3_600_000 + 1))
    expect(stories.find(told(1, 'a b c d'))).toEqual([])
  })
})
