import type { Check } from '../../lib/check.js'
import type { Endpoint } from '../../platform/postgres/connection.js'
import type { PoolStats } from '../../platform/postgres/database.js'
import { DedicatedConnection } from '../../platform/postgres/dedicated.js'
import { counterChecks } from './checks/counters.js'
import { indexChecks } from './checks/indexes.js'
import { replicationChecks } from './checks/replication.js'
import { type ServerFacts, serverChecks } from './checks/server.js'
import { poolExhausted, sessionChecks } from './checks/sessions.js'
import { statementChecks } from './checks/statements.js'
import { tableChecks } from './checks/tables.js'
import type { Observer } from './observer.js'
import type { Thresholds } from './view.js'

/** A look that takes longer than this is none. */
const LOOK_MS = 5_000
/** A table that is locked is not waited for: whoever wants it would wait behind. */
const LOCK_MS = 200

/** The connection that looking uses. Names are then qualified always, and its work stands in nobody's way. */
export const monitorConnection = (endpoint: Endpoint): DedicatedConnection =>
  new DedicatedConnection({
    endpoint,
    timeoutMs: LOOK_MS,
    name: 'catalyst-db monitor',
    settings: { search_path: '', lock_timeout: String(LOCK_MS), jit: 'off' },
  })

/** Every check of PostgreSQL itself. */
export const databaseChecks = (observer: Observer, limits: Thresholds): Check[] => [
  ...sessionChecks(observer, limits),
  ...counterChecks(observer, limits),
  ...statementChecks(observer, limits),
  ...tableChecks(observer, limits),
  ...indexChecks(observer, limits),
  ...replicationChecks(observer, limits),
]

/** What this server sees of itself and of its machine. */
export const ownChecks = (
  observer: Observer,
  limits: Thresholds,
  facts: ServerFacts & { readonly pool: () => PoolStats & { readonly max: number } },
): Check[] => {
  let waitingSince: number | null = null
  return [
    ...serverChecks(observer, limits, facts),
    {
      name: 'pool_exhausted',
      isOwn: true,
      measure: () => {
        const pool = facts.pool()
        waitingSince = pool.waiting > 0 ? (waitingSince ?? performance.now()) : null
        const seconds = waitingSince === null ? 0 : (performance.now() - waitingSince) / 1_000
        return poolExhausted(pool, { seconds }, limits, facts.server)
      },
    },
  ]
}
