import type { Config } from '../config.js'
import { type Clock, systemClock } from '../lib/clock.js'
import { newId } from '../lib/ids.js'
import type { SharedOutage } from '../lib/shared-outage.js'
import type { Log } from '../platform/log.js'
import { AuditMonths } from '../platform/postgres/audit-months.js'
import { AuditTrail } from '../platform/postgres/audit-trail.js'
import { Database } from '../platform/postgres/database.js'
import { DedicatedConnection, HEALTH_TIMEOUT_MS } from '../platform/postgres/dedicated.js'
import { EventLog } from '../platform/postgres/event-log.js'
import { databaseOutage } from '../platform/postgres/outage.js'
import { type OwnConnection, workerConnection } from '../platform/postgres/own-connection.js'
import { openSystems, type Systems } from '../systems.js'
import { Calls } from './calls.js'
import { Commits } from './commits.js'
import { Ending } from './ending.js'
import { Loops } from './loops.js'

/** What every part works with: the outside systems, and what is kept beside every change. */
export interface Core {
  readonly config: Config
  readonly log: Log
  readonly clock: Clock
  /** Of this process, anew at each start. */
  readonly serverId: string
  readonly systems: Systems
  /** For short transactions. */
  readonly database: Database
  /** For looks that must be answered even when the database is not well, or its pool is full. */
  readonly health: DedicatedConnection
  /** For statements of every few seconds, which must not wait behind the users of the pool. */
  readonly worker: OwnConnection
  readonly commits: Commits
  readonly calls: Calls
  /** The one outage of PostgreSQL that every part shares. */
  readonly outage: SharedOutage
  readonly loops: Loops
  readonly eventLog: EventLog
  readonly audit: AuditTrail
  /** Everything that has begun. */
  readonly ending: Ending
}

/** A heartbeat that takes longer is none. */
const WORKER_TIMEOUT_MS = 2_500

/** Connects to the outside systems, and makes what all parts share; nothing runs yet. */
export async function openCore(config: Config, log: Log): Promise<Core> {
  const ending = new Ending()
  const systems = await openSystems(config, log)
  ending.add(() => systems.close())
  const { pooled, direct } = systems
  const serverId = newId('srv')
  const commits = new Commits()
  const outage = databaseOutage(log)
  const database = new Database({
    endpoint: pooled,
    poolMax: config.CATALYST_POOL_MAX,
    heard: commits,
  })
  const health = new DedicatedConnection({ endpoint: direct, timeoutMs: HEALTH_TIMEOUT_MS })
  const worker = workerConnection(direct, {
    name: 'catalyst-db jobs',
    timeoutMs: WORKER_TIMEOUT_MS,
  })
  for (const connection of [database, health, worker]) ending.add(() => connection.close())
  const loops = new Loops(outage, ending)
  const { keep_months: keepMonths } = config.policy.audit
  const months = new AuditMonths({ database, keepMonths })
  const audit = new AuditTrail({ database, serverId, clock: systemClock, months, loops, log })
  ending.add(() => audit.stop())
  const eventLog = new EventLog({ endpoint: direct, loops, log })
  ending.add(() => eventLog.close())
  commits.onCommit(({ hasEvents }) => {
    if (!hasEvents) return
    eventLog.poke()
    audit.poke()
  })
  return {
    config,
    log,
    clock: systemClock,
    serverId,
    systems,
    database,
    health,
    worker,
    commits,
    calls: new Calls(),
    outage,
    loops,
    eventLog,
    audit,
    ending,
  }
}
