import type { Database } from '../../platform/postgres/database.js'
import { repeatWhenLocked } from '../../platform/postgres/policies.js'
import type { Queryable } from '../../platform/postgres/queryable.js'
import { createMonths, missingMonths } from './partitions.sql.js'

/** Every partition takes a few locks until its transaction ends, and PostgreSQL has room for thousands. */
const MONTHS_AT_ONCE = 12

/**
 * Makes partitions in short transactions of its own, because attaching one locks `securities`. They
 * come one after the other on a connection of their own: whoever waits here holds one of the pool's.
 */
export class Partitions {
  readonly #database: Database
  #turns: Promise<unknown> = Promise.resolve()

  constructor(deps: { readonly database: Database }) {
    this.#database = deps.database
  }

  /** Makes the monthly partitions that these instants need and nobody has made; how many that were. */
  async ensure(reader: Queryable, instants: readonly string[]): Promise<number> {
    const months = [...new Set(instants.map((instant) => instant.slice(0, 7)))]
    if ((await reader.many(missingMonths(months))).length === 0) return 0
    const turn = this.#turns.then(() => this.#create(months))
    this.#turns = turn.catch(() => {})
    return turn
  }

  /** The same for who has no transaction. */
  ensureAhead(instants: readonly string[]): Promise<number> {
    return this.ensure(this.#database, instants)
  }

  /** Ends once what has begun is done. */
  async close(): Promise<void> {
    await this.#turns
    await this.#database.close()
  }

  async #create(months: readonly string[]): Promise<number> {
    const missing = (await this.#database.many(missingMonths(months))).map(({ month }) => month)
    let created = 0
    while (missing.length > 0) {
      const some = missing.splice(0, MONTHS_AT_ONCE)
      const { signal } = new AbortController()
      created += await repeatWhenLocked(signal, () =>
        this.#database.transaction(async (tx) => (await tx.one(createMonths(some))).created),
      )
    }
    return created
  }
}
