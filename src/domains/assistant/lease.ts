import { setTimeout as delay } from 'node:timers/promises'
import { AppError } from '../../errors.js'
import type { Database } from '../../platform/postgres/database.js'
import * as statements from './sql.js'

const LEASE_SECONDS = 20
const KEEP_MS = 5_000
/** A lease that its holder still keeps moves by then. */
const LOOK_MS = 1_000

/** The right to act, which one server has at a time. */
export class ActingLease {
  readonly #database: Database
  readonly #lost = new AbortController()
  readonly #timer: NodeJS.Timeout
  readonly standing: statements.Standing

  private constructor(database: Database, standing: statements.Standing) {
    this.#database = database
    this.standing = standing
    this.#timer = setInterval(() => void this.keep(), KEEP_MS).unref()
  }

  /**
   * Takes the lease; one whose holder has died is waited for.
   *
   * @throws AppError `conflict` when somebody else acts
   */
  static async take(
    database: Database,
    { serverId, at, signal }: { serverId: string; at: string; signal: AbortSignal },
  ): Promise<ActingLease> {
    const first = await database.one(statements.standing())
    for (;;) {
      const [taken] = await database.transaction((tx) =>
        tx.many(statements.takeLease(serverId, LEASE_SECONDS, at)),
      )
      if (taken) return new ActingLease(database, taken)
      const { fence, lease_until } = await database.one(statements.standing())
      const isKept = lease_until !== null && lease_until !== first.lease_until
      if (fence !== first.fence || isKept) throw othersAct()
      await delay(LOOK_MS, undefined, { signal }).catch(() => {})
      signal.throwIfAborted()
    }
  }

  /** Counts the holders of the lease. */
  get fence(): number {
    return this.standing.fence
  }

  /** Aborted when the lease is another's, or the emergency stop was pulled. */
  get lost(): AbortSignal {
    return this.#lost.signal
  }

  /** Whether this server may still act; a database that does not answer has not said so. */
  async keep(): Promise<boolean> {
    if (this.#lost.signal.aborted) return false
    try {
      const kept = await this.#database.transaction((tx) =>
        tx.maybeOne(statements.keepLease(this.fence, LEASE_SECONDS)),
      )
      if (!kept) this.#lost.abort(stopped())
      return kept !== null
    } catch {
      return false
    }
  }

  /** Gives the lease back. */
  async end(): Promise<void> {
    clearInterval(this.#timer)
    // One that cannot be given back ends by itself.
    await this.#database.run(statements.endLease(this.fence)).catch(() => {})
  }
}

const othersAct = (): AppError =>
  new AppError('conflict', 'Another round of maintenance is under way.', {
    hint: 'Read catalyst://assistant/reports/latest in a minute, or call with dry_run true.',
    retryable: true,
  })

const stopped = (): AppError =>
  new AppError('cancelled', 'The emergency stop was pulled, or another server acts now.', {
    retryable: false,
  })
