import { FNV_BASIS, fnvStep } from './fnv.js'

/** As many bits as a number holds exactly, in two halves that bit operations can take. */
const BITS = 52
const HALF = 26
const HALF_SIZE = 2 ** HALF

/** Which words a headline has, one of 52 bits for each: unlike headlines are told apart by it alone. */
export interface WordBits {
  readonly high: number
  readonly low: number
  /** How many words there are. */
  readonly count: number
}

const SPACE = 32

/**
 * The bits of a normalized headline's words, found without cutting it into strings: for ten thousand
 * headlines those cost more than all else here. A repeated word counts twice, which only makes the
 * bound below wider.
 */
export function wordBits(norm: string): WordBits {
  let high = 0
  let low = 0
  let count = 0
  let hash = FNV_BASIS
  for (let i = 0; i <= norm.length; i++) {
    const unit = i < norm.length ? norm.charCodeAt(i) : SPACE
    if (unit !== SPACE) {
      hash = fnvStep(hash, unit)
      continue
    }
    count++
    const bit = (hash >>> 0) % BITS
    if (bit < HALF) low |= 1 << bit
    else high |= 1 << (bit - HALF)
    hash = FNV_BASIS
  }
  return { high, low, count }
}

/** The bits as one number, as they are stored. */
export const packBits = ({ high, low }: WordBits): number => high * HALF_SIZE + low

/** Stored bits, ready to be compared. */
export const unpackBits = (packed: number, count: number): WordBits => ({
  high: Math.floor(packed / HALF_SIZE),
  low: packed % HALF_SIZE,
  count,
})

/** The number of one bits of a 32-bit word (Warren, Hacker's Delight, 5-1). */
function ones(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555)
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333)
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}

/**
 * False when two headlines cannot share 0.6 of all their words. A bit in which they differ stands for
 * a word only one of them has; those are at most 0.4 of all words, and all words are at most
 * (a + b) / 1.6 — so more than (a + b) / 4 different bits rule it out. Never false for a match.
 */
export const mayBeAlike = (a: WordBits, b: WordBits): boolean =>
  4 * (ones(a.high ^ b.high) + ones(a.low ^ b.low)) <= a.count + b.count
