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
  tasks:
    'several changes in one transaction, a session with begin, commit and rollback, who is connected',
  tools,
  resources,
  start: (kernel) => {
    const { config, systems, database, commits, eventLog, served } = kernel
    const { pooled, direct } = systems
    const maxPinned = Math.floor(config.CATALYST_POOL_MAX / 2)
    const isDirect = direct.label === pooled.label
    const pinned = isDirect
      ? database
      : new Database({ endpoint: direct, poolMax: maxPinned, heard: commits })
    if (!isDirect) kernel.onClose(() => pinned.close())
    const service = new SessionService({
      ...kernel,
      direct: pinned,
      maxPinned,
      maxPerCaller: config.policy.limits.sessions_per_caller,
      idleMs: config.CATALYST_SESSION_IDLE_SECONDS * 1_000,
      maxMs: config.CATALYST_SESSION_MAX_SECONDS * 1_000,
      operationOf: (requested, caller) => served().operation(requested, caller),
      changed: () => kernel.changed('db/sessions/active'),
    })
    new DeadServers(kernel)
    eventLog.greet(sayAlive(kernel.serverId))
    kernel.onClose(() => service.close())
    return service
  },
})
