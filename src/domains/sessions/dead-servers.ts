import { Loop } from '../../lib/loop.js'
import type { SharedOutage } from '../../lib/shared-outage.js'
import type { Log } from '../../platform/log.js'
import type { Database } from '../../platform/postgres/database.js'
import type { WorkerConnection } from '../../platform/postgres/worker-connection.js'
import { LOSSES } from './records.js'
import * as statements from './sql.js'

interface DeadServersDeps {
  readonly database: Database
  readonly connection: WorkerConnection
  readonly serverId: string
  readonly log: Log
  readonly outage: SharedOutage
  /** Called after a commit that left events in the outbox; it outdates nothing. */
  readonly committed: (touched: undefined) => void
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
  readonly #loop: Loop

  constructor(deps: DeadServersDeps) {
    this.#deps = deps
    this.#loop = new Loop({
      everyMs: LOOK_MS,
      outage: deps.outage.of('the watch over the sessions of other servers'),
      work: () => this.#look(),
    })
  }

  /** Begins to look every few seconds. */
  start(): void {
    this.#loop.start()
  }

  /** Ends; a look that is under way is waited for. */
  async stop(): Promise<void> {
    await this.#loop.stop()
  }

  async #look(): Promise<void> {
    const { connection, serverId } = this.#deps
    const before = this.#silent
    // Nobody's silence counts while this server does not see the database itself.
    this.#silent = new Map()
    const found = await connection.many(statements.listSilentServers(serverId))
    const now = performance.now()
    this.#silent = new Map(found.map((one) => [one.server_id, before.get(one.server_id) ?? now]))
    for (const [id, since] of this.#silent) if (now - since >= SILENCE_MS) await this.#bury(id)
  }

  async #bury(serverId: string): Promise<void> {
    const { database, log, committed } = this.#deps
    const ended = await database.transaction(async (tx) => {
      const sessions = await tx.many(statements.endSessionsOf(serverId))
      for (const { session_id } of sessions) {
        await tx.emit('db.error', { ...LOSSES.lost, session_id })
      }
      return sessions.length
    })
    if (ended === 0) return
    log.warn({ server_id: serverId, sessions: ended }, 'a server died with sessions open')
    committed(undefined)
  }
}
