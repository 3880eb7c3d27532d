import { part } from '../../kernel/part.js'
import { Database } from '../../platform/postgres/database.js'
import { DeadServers } from './dead-servers.js'
import * as resources from './resources.js'
import { SessionService } from './service.js'
import { sayAlive } from './sql.js'
import * as tools from './tools.js'

/** Transactions held over several calls, and those that single calls run in. */
export const sessions = part({
  name: 'sessions',
  tools,
  resources,
  start: (kernel) => {
    const { config, systems, database, commits, served, changed } = kernel
    const { pooled, direct } = systems
    const maxPinned = Math.floor(config.CATALYST_POOL_MAX / 2)
    const isDirect = direct.label === pooled.label
    const pinned = isDirect
      ? database
      : new Database({ endpoint: direct, poolMax: maxPinned, heard: commits })
    if (!isDirect) kernel.onClose(() => pinned.close())
    const { serverId, clock, log, audit, health, eventLog } = kernel
    const service = new SessionService({
      database,
      direct: pinned,
      health,
      maxPinned,
      maxPerCaller: config.policy.limits.sessions_per_caller,
      idleMs: config.CATALYST_SESSION_IDLE_SECONDS * 1_000,
      maxMs: config.CATALYST_SESSION_MAX_SECONDS * 1_000,
      serverId,
      clock,
      log,
      audit,
      operationOf: (requested, caller) => served().operation(requested, caller),
      changed: () => changed('db/sessions/active'),
    })
    eventLog.greet(sayAlive(serverId))
    new DeadServers(kernel)
    kernel.onClose(() => service.close())
    return service
  },
})
