import type { Check } from '../../lib/check.js'
import type { Trouble } from '../../lib/tls-trouble.js'
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
  readonly pool: PoolStats & { readonly max: number }
  readonly schema: SchemaState
  /** Why jobs cannot be announced and taken; null while they can. */
  readonly queueTrouble: Trouble | null
  /** What the parts say is wrong with them. */
  readonly told: Findings
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
    const critical = [`PostgreSQL is down: ${inWords(probe.trouble)}`, ...look.told.critical]
    return { critical, warnings: [...look.told.warnings, ...outside(look)] }
  }
  const critical = [
    ...(probe.trouble ? [inWords(probe.trouble)] : []),
    ...(look.schema.state === 'failed' ? [`The schema is not usable: ${look.schema.reason}`] : []),
    ...jobReasons(probe.server.job_tables, look),
    ...look.told.critical,
  ]
  const warnings = [...inside(probe.server, look), ...look.told.warnings, ...outside(look)]
  return { critical, warnings }
}

/** What the checks of all parts come to. */
export function toldBy(checks: readonly Check[], isUp: boolean): Findings {
  const asked = checks.filter(({ needsDatabase }) => isUp || !needsDatabase)
  const of = (severity: Check['severity']) =>
    asked.filter((check) => check.severity === severity).flatMap((check) => check.look() ?? [])
  return { critical: of('critical'), warnings: of('warning') }
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
function inside(server: ServerHealth, { schema }: Look): string[] {
  return [
    ...(schema.state === 'pending' ? [`The schema is not current yet: ${schema.reason}`] : []),
    ...capacityReasons(server),
    ...lagReasons(server.replicas),
  ]
}

/** What is to be known whether the database answers or not. */
function outside({ cache, pool }: Look): string[] {
  return [
    ...(cache.state === 'ready' || cache.state === 'not running'
      ? []
      : [`The cache is ${cache.state}: ${cache.reason}`]),
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
