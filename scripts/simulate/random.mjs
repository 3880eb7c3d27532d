// @ts-check

/** Chance that can be repeated: the same seed gives the same sequence (mulberry32). */
export class Random {
  #state

  /** @param {number} seed */
  constructor(seed) {
    this.#state = seed | 0
  }

  /** From 0 to below 1. */
  next() {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }

  /**
   * True in this share of all cases.
   *
   * @param {number} share
   */
  chance(share) {
    return this.next() < share
  }

  /**
   * From `low` to below `high`.
   *
   * @param {number} low
   * @param {number} high
   */
  between(low, high) {
    return low + (high - low) * this.next()
  }

  /**
   * A whole number, both ends included.
   *
   * @param {number} low
   * @param {number} high
   */
  integer(low, high) {
    return Math.floor(this.between(low, high + 1))
  }

  /**
   * One of several.
   *
   * @template T
   * @param {readonly T[]} choices
   * @returns {T}
   */
  pick(choices) {
    const chosen = choices[Math.floor(this.next() * choices.length)]
    if (chosen === undefined) throw new Error('nothing to choose from')
    return chosen
  }

  /**
   * The same things in another order.
   *
   * @template T
   * @param {readonly T[]} things
   * @returns {T[]}
   */
  shuffled(things) {
    const keyed = things.map((thing) => ({ thing, key: this.next() }))
    return keyed.sort((a, b) => a.key - b.key).map(({ thing }) => thing)
  }
}
