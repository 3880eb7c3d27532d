// @ts-check

/**
 * @typedef {object} Check one thing that must always hold
 * @property {string} name
 * @property {number} cases
 * @property {number} broken
 * @property {string[]} examples the first broken cases
 */

const MOST_EXAMPLES = 3

/** What was checked how often, and where it did not hold. */
export class Checks {
  /** @type {Map<string, Check>} */
  #all = new Map()

  /**
   * Counts one case; `example` says which one it is, when it is broken.
   *
   * @param {string} name
   * @param {boolean} holds
   * @param {() => unknown} [example]
   */
  that(name, holds, example = () => '') {
    const check = this.#all.get(name) ?? { name, cases: 0, broken: 0, examples: [] }
    this.#all.set(name, check)
    check.cases++
    if (holds) return
    check.broken++
    if (check.examples.length < MOST_EXAMPLES) check.examples.push(JSON.stringify(example()))
  }

  /** @returns {Check[]} */
  list() {
    return [...this.#all.values()]
  }
}
