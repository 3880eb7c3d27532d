/**
 * The connections that sessions may hold. A slot is taken before its connection is asked for and given
 * back after that is gone, so there are never more connections than slots, whatever fails between.
 */
export class Slots {
  #free: number

  constructor(count: number) {
    this.#free = count
  }

  /** Takes a slot; false when there is none. */
  take(): boolean {
    if (this.#free === 0) return false
    this.#free--
    return true
  }

  /** Gives a slot back. */
  give(): void {
    this.#free++
  }
}
