import type { DirectSession } from '../direct.js'
import type { Filling } from './backfill.js'
import { beyond, type Loss } from './loss.js'
import { Measure } from './measure.js'
import { Wire } from './wire.js'

/** A script lost more than was confirmed; it was rolled back. */
export class UnconfirmedLoss extends Error {
  /** Versions that were done before it, and stay. */
  readonly done: readonly number[]

  constructor(done: readonly number[] = []) {
    super('a migration loses what was not confirmed')
    this.done = done
  }
}

/** Watches the statements of one transaction, and knows at its end what they have done. */
export class Guard {
  readonly #wire: Wire
  readonly #measure: Measure
  readonly #confirmed: readonly Loss[]

  private constructor(wire: Wire, measure: Measure, confirmed: readonly Loss[]) {
    this.#wire = wire
    this.#measure = measure
    this.#confirmed = confirmed
  }

  /** To be called once the transaction is open and has its limits. */
  static async begin(session: DirectSession, confirmed: readonly Loss[]): Promise<Guard> {
    const wire = await Wire.begin(session)
    return new Guard(wire, await Measure.begin(session, confirmed), confirmed)
  }

  /**
   * Runs a statement and looks that it was one.
   *
   * @param filling what it sets, when it is an UPDATE
   */
  async watch(where: string, filling: Filling | null, run: () => Promise<number>): Promise<void> {
    await this.#measure.filling(filling, run)
    await this.#wire.check(where)
  }

  /** What was lost since the guard began, or since it was last asked. */
  losses(): Promise<Loss[]> {
    return this.#measure.losses()
  }

  /**
   * The id of the transaction, which may now be committed.
   *
   * @throws UnconfirmedLoss when more is lost than was confirmed
   */
  async confirm(): Promise<string> {
    if (beyond(this.#confirmed, await this.losses()).length > 0) throw new UnconfirmedLoss()
    return this.#wire.transactionId
  }
}
