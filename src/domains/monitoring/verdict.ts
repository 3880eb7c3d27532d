import type { Trouble } from '../../lib/tls-trouble.js'
import { instantText } from '../../lib/utc-text.js'
import type { CacheHealth } from '../../platform/cache/cache-store.js'
import type { PoolStats } from '../../platform/postgres/database.js'
import type { Probe } from './probe.js'
import type { JobTables, ReplicaLag, ServerHealth } from './sql.js'

/** Where the schema stands: `current`, or why not. */
interface SchemaState {
  readonly state: 'current' | 'pending' | 'failed'
  readonly reason: string | null
}

/** How the cache is; `not running` is one that starts together with a server. */
export type CacheLook =
  | Pick<CacheHealth, 'state' | 'since' | 'reason'>
  | { readonly state: 'not running'; readonly since: null; readonly reason: string }

/** Everything that was looked at. */
export interface Look {
  readonly probe: Probe
  readonly cache: CacheLook
  /** True while the memory of the cache is nearly full. */
  readonly isCacheFull: boolean
  readonly pool: PoolStats & { readonly max: number }
  readonly schema: SchemaState
  /** Since when events cannot be published; null while they can. */
  readonly eventsFailingSince: Date | null
  /** Why jobs cannot be announced and taken; null while they can. */
  readonly queueTrouble: Trouble | null
}

/** What a look comes to, each with what to do about it. */
export interface Findings {
  /** The database cannot be used as it is. */
  readonly critical: readonly string[]
  readonly warnings: readonly string[]
}

/** Share of max_connections above which the server is close to refusing logins. */
const CONNECTIONS_NEARLY_FULL = 0.8
/** Replay lag beyond which a replica is no longer a fresh copy, in seconds. */
const LAG_WARNING_SECONDS = 30

/** Judges what was looked at. */
export function findingsOf(look: Look): Findings {
  const { probe } = look
  if (!probe.up) {
    const critical = [`PostgreSQL is down: ${inWords(probe.trouble)}`]
    return { critical, warnings: outside(look) }
  }
  const critical = [
    ...(probe.trouble ? [inWords(probe.trouble)] : []),
    ...(look.schema.state === 'failed' ? [`The schema is not usable: ${look.schema.reason}`] : []),
    ...jobReasons(probe.server.job_tables, look),
  ]
  return { critical, warnings: [...inside(probe.server, look), ...outside(look)] }
}

/** The word for it. */
export function verdict({ critical, warnings }: Findings) {
  if (critical.length > 0) return 'unhealthy' as const
  return warnings.length > 0 ? ('degraded' as const) : ('healthy' as const)
}

/** What is wrong and what to do, as one text. */
export const inWords = ({ cause, fix }: Trouble): string => `${cause} ${fix}`.trim()

const JOBS = 'Long operations (jobs) cannot run:'
const JOB_TABLES: Readonly<Record<JobTables, string | null>> = {
  usable: null,
  // The schema is not current then, which is told as such.
  absent: null,
  forbidden: `${JOBS} this role lacks rights to the table catalyst.jobs. Run: grant usage on schema catalyst to <role>; grant select, insert, update, delete on catalyst.jobs to <role>;`,
}

/** The catalogs know at once; what only the queue has met it says itself. */
function jobReasons(tables: JobTables, { queueTrouble }: Look): string[] {
  const known = JOB_TABLES[tables]
  if (known) return [known]
  return queueTrouble ? [`${JOBS} ${inWords(queueTrouble)}`] : []
}

/** What is to be known of a database that answers. */
function inside(server: ServerHealth, { schema, eventsFailingSince }: Look): string[] {
  return [
    ...(schema.state === 'pending' ? [`The schema is not current yet: ${schema.reason}`] : []),
    ...capacityReasons(server),
    ...lagReasons(server.replicas),
    // While PostgreSQL is down nothing is committed that could be published.
    ...(eventsFailingSince
      ? [`Events have not been published since ${instantText(eventsFailingSince)}; they are kept.`]
      : []),
  ]
}

/** What is to be known whether the database answers or not. */
function outside({ cache, isCacheFull, pool }: Look): string[] {
  return [
    ...(cache.state === 'ready' || cache.state === 'not running'
      ? []
      : [`The cache is ${cache.state}: ${cache.reason}`]),
    ...(isCacheFull ? ['The memory of the cache is nearly full.'] : []),
    ...(pool.waiting > 0
      ? [`${pool.waiting} calls wait for one of ${pool.max} pooled connections.`]
      : []),
  ]
}

function capacityReasons({ connections, max_connections }: ServerHealth): string[] {
  if (connections < max_connections * CONNECTIONS_NEARLY_FULL) return []
  return [`${connections} of ${max_connections} connections of PostgreSQL are in use.`]
}

const lagReasons = (replicas: readonly ReplicaLag[]): string[] =>
  replicas
    .filter(({ lag_seconds }) => lag_seconds !== null && lag_seconds > LAG_WARNING_SECONDS)
    .map(({ lag_seconds }) => `A replica is ${Math.round(lag_seconds ?? 0)} s behind.`)
