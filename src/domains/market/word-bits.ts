/** As many bits as a number holds exactly, in two halves that bit operations can take. */
const BITS = 52
const HALF = 26
const HALF_SIZE = 2 ** HALF

/** Which terms a headline has, one of 52 bits for each: unlike headlines are told apart by it alone. */
export interface WordBits {
  readonly high: number
  readonly low: number
  /** How many terms there are. */
  readonly count: number
}

/** The bits of a headline's terms, which are given by their hashes. */
export function termBits(terms: readonly number[]): WordBits {
  let high = 0
  let low = 0
  for (const hash of terms) {
    const bit = hash % BITS
    if (bit < HALF) low |= 1 << bit
    else high |= 1 << (bit - HALF)
  }
  return { high, low, count: terms.length }
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
 * False when two headlines cannot share 0.6 of all their terms. A bit in which they differ stands for
 * a term only one of them has; those are at most 0.4 of all terms, and all terms are at most
 * (a + b) / 1.6 — so more than (a + b) / 4 different bits rule it out. Never false for a match.
 */
export const mayBeAlike = (a: WordBits, b: WordBits): boolean =>
  4 * (ones(a.high ^ b.high) + ones(a.low ^ b.low)) <= a.count + b.count
