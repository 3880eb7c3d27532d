import { Ending } from '../../src/kernel/ending.js'
import { Loops } from '../../src/kernel/loops.js'
import { createLog } from '../../src/platform/log.js'
import { AuditMonths } from '../../src/platform/postgres/audit-months.js'
import { AuditTrail } from '../../src/platform/postgres/audit-trail.js'
import { verifyChain } from '../../src/platform/postgres/audit-verification.js'
import { parseDatabaseUrl } from '../../src/platform/postgres/connection.js'
import { Database } from '../../src/platform/postgres/database.js'
import { databaseOutage } from '../../src/platform/postgres/outage.js'

const open = (url: string) => new Database({ endpoint: parseDatabaseUrl(url), poolMax: 2 })

/** Checks the chain as `audit verify` does. */
export async function verify(url: string) {
  const database = open(url)
  try {
    return await verifyChain(database)
  } finally {
    await database.close()
  }
}

/** A server's audit whose clock the test sets. */
export class Trail {
  readonly audit: AuditTrail
  now = new Date()
  /** Goes on by itself until the end. */
  readonly begin: () => void
  readonly #database: Database
  readonly #ending = new Ending()

  constructor(url: string, keepMonths = 24) {
    const log = createLog('silent')
    const database = open(url)
    const clock = { now: () => this.now }
    const months = new AuditMonths({ database, keepMonths })
    const loops = new Loops(databaseOutage(log), this.#ending)
    this.#database = database
    this.audit = new AuditTrail({ database, serverId: 'test', clock, months, loops, log })
    this.begin = () => loops.begin()
  }

  /** Appends what waits and ends. */
  async stop(): Promise<void> {
    await this.audit.stop()
    await this.#ending.run()
    await this.#database.close()
  }
}

/** One call for the audit. */
export const call = (tool: string, principal = 'someone') => ({
  principal,
  request_id: tool,
  tool,
  arguments_sha256: '',
  outcome: 'ok',
  calls: 1,
  duration_ms: 1.5,
  session_id: null,
  transaction_id: null,
  confirmed_by: null,
  plan: null,
})
