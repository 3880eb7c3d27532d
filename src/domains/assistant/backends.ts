import { AppError } from '../../errors.js'
import type { Question } from '../../lib/confirmation.js'
import type { Database } from '../../platform/postgres/database.js'
import * as statements from './backends.sql.js'

/** Ends what a backend does, once somebody has seen what that is. */
export class Backends {
  readonly #database: Database

  constructor({ database }: { readonly database: Database }) {
    this.#database = database
  }

  /** What would be ended, and who waits for it. */
  async question(id: statements.BackendId): Promise<Question> {
    const { query: _query, ...found } = await this.#find(id)
    const what = id.terminate
      ? 'Its transaction is rolled back and its connection closed.'
      : 'Its running statement is cancelled, and its transaction fails.'
    const message = `Backend ${found.pid} (${found.state}) keeps ${found.waiting} others waiting. ${what}`
    return { message, plan: { ...found, terminate: id.terminate } }
  }

  /**
   * Cancels its statement, or ends it.
   *
   * @throws AppError `not_found` when it has gone, `permission_denied` when it is another role's
   */
  async cancel(id: statements.BackendId) {
    const { pid } = await this.#find(id)
    const row = await this.#database.transaction((tx) => tx.maybeOne(statements.signal(id)))
    if (!row) throw gone()
    return { pid, cancelled: row.sent, terminated: id.terminate && row.sent }
  }

  async #find(id: statements.BackendId): Promise<statements.FoundBackend> {
    return (await this.#database.maybeOne(statements.findBackend(id))) ?? gone()
  }
}

const gone = (): never => {
  throw new AppError('not_found', 'There is no such backend any more; nothing was ended.', {
    hint: 'Read catalyst://db/performance/connections for those that are there.',
  })
}
