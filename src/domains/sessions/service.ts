import type { Caller, UnitOfWork } from '../../lib/caller.js'
import type { Database } from '../../platform/postgres/database.js'
import { runExactlyOnce } from '../../platform/postgres/exactly-once.js'
import type { Transaction } from '../../platform/postgres/queryable.js'

/** What transactions are made from. */
export interface SessionDeps {
  readonly database: Database
  /** Called after a commit that left events in the outbox. */
  readonly committed: () => void
}

/** Opens the transactions that persisting tools run in. */
export class SessionService {
  readonly #deps: SessionDeps

  constructor(deps: SessionDeps) {
    this.#deps = deps
  }

  /**
   * Runs one unit of work in a transaction of its own, exactly once per idempotency key; the event
   * that reports it commits with it.
   */
  async run<T>(unit: UnitOfWork, caller: Caller, work: (tx: Transaction) => Promise<T>) {
    const effect = { ...unit, principal: caller.principal }
    const result = await runExactlyOnce(this.#deps.database, effect, caller.signal, async (tx) => {
      const answer = await work(tx)
      await tx.emit('db.transaction', { tools: [unit.tool], session_id: null })
      return answer
    })
    if (!result.replayed) this.#deps.committed()
    return result
  }
}
