import type { DirectSession } from '../../platform/postgres/direct.js'
import type { ScriptStatement } from '../../platform/sql-parser/syntax.js'
import { beyond, type Loss } from './measure/loss.js'
import { Measure } from './measure/measure.js'
import type { ScriptTask } from './run-context.js'
import { currentTransaction } from './session.sql.js'
import { Wire } from './wire.js'

/** A script lost more than was confirmed; it was rolled back. */
export class UnconfirmedLoss extends Error {
  readonly version: number
  /** Versions that were done before it, and stay. */
  readonly done: readonly number[]

  constructor(version: number, done: readonly number[] = []) {
    super(`migration ${version} loses what was not confirmed`)
    this.version = version
    this.done = done
  }

  /** The same, after others have succeeded. */
  after(done: readonly number[]): UnconfirmedLoss {
    return new UnconfirmedLoss(this.version, done)
  }
}

interface Guarded {
  readonly session: DirectSession
  readonly isMeasured: boolean
  readonly confirmed: readonly Loss[]
}

/** Watches the statements of one transaction, and knows at its end what they have done. */
export class Guard {
  readonly #session: DirectSession
  readonly #confirmed: readonly Loss[]
  readonly #watched: { readonly wire: Wire; readonly measure: Measure } | null

  private constructor(guarded: Guarded, watched: { wire: Wire; measure: Measure } | null) {
    this.#session = guarded.session
    this.#confirmed = guarded.confirmed
    this.#watched = watched
  }

  /** To be called once the transaction is open and has its limits. */
  static async begin(guarded: Guarded): Promise<Guard> {
    if (!guarded.isMeasured) return new Guard(guarded, null)
    const { session, confirmed } = guarded
    const wire = await Wire.begin(session)
    return new Guard(guarded, { wire, measure: await Measure.begin(session, confirmed) })
  }

  /** Runs a statement and looks that it was one. */
  async watch(file: string, statement: ScriptStatement, run: () => Promise<number>): Promise<void> {
    if (!this.#watched) {
      await run()
      return
    }
    const { wire, measure } = this.#watched
    await measure.filling(statement, run)
    await wire.check(`${file}, statement ${statement.index} (line ${statement.line})`)
  }

  /** What was lost since the guard began, or since it was last asked. */
  async losses(): Promise<readonly Loss[]> {
    return (await this.#watched?.measure.losses()) ?? []
  }

  /**
   * The id of the transaction, which may now be committed.
   *
   * @throws UnconfirmedLoss when more is lost than was confirmed
   */
  async confirm({ version }: Pick<ScriptTask, 'version'>): Promise<string> {
    if (!this.#watched) {
      const [row] = await this.#session.many(currentTransaction())
      return row?.transaction_id ?? ''
    }
    const losses = await this.losses()
    if (beyond(this.#confirmed, losses).length > 0) throw new UnconfirmedLoss(version)
    return this.#watched.wire.transactionId
  }
}
