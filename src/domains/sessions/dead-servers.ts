import type { Loops } from '../../kernel/loops.js'
import type { Log } from '../../platform/log.js'
import type { Database } from '../../platform/postgres/database.js'
import type { OwnConnection } from '../../platform/postgres/own-connection.js'
import { LOSSES } from './records.js'
import * as statements from './sql.js'

interface DeadServersDeps {
  readonly database: Database
  /** Must not wait behind the users of the pool. */
  readonly worker: OwnConnection
  readonly serverId: string
  readonly loops: Loops
  readonly log: Log
}

const LOOK_MS = 3_000
/** A server that lives is back sooner after its connection, or the database, was gone. */
const SILENCE_MS = 30_000

/**
 * Finds servers that died with sessions open, whose end nobody noted. As with jobs, silence is measured
 * by this server's own clock while it sees the database itself.
 */
export class DeadServers {
  readonly #deps: DeadServersDeps
  /** Since when each has been silent. */
  #silent = new Map<string, number>()

  constructor(deps: DeadServersDeps) {
    this.#deps = deps
    const name = 'the watch over the sessions of other servers'
    deps.loops.every(name, { everyMs: LOOK_MS }, () => this.#look())
  }

  async #look(): Promise<void> {
    const { worker, serverId } = this.#deps
    const before = this.#silent
    // Nobody's silence counts while this server does not see the database itself.
    this.#silent = new Map()
    const found = await worker.many(statements.listSilentServers(serverId))
    const now = performance.now()
    this.#silent = new Map(found.map((one) => [one.server_id, before.get(one.server_id) ?? now]))
    for (const [id, since] of this.#silent) if (now - since >= SILENCE_MS) await this.#bury(id)
  }

  async #bury(serverId: string): Promise<void> {
    const { database, log } = this.#deps
    const ended = await database.transaction(async (tx) => {
      const sessions = await tx.many(statements.endSessionsOf(serverId))
      for (const { session_id } of sessions) {
        await tx.emit('db.error', { ...LOSSES.lost, session_id })
      }
      return sessions.length
    })
    if (ended > 0) {
      log.warn({ server_id: serverId, sessions: ended }, 'a server died with sessions open')
    }
  }
}
