import type { Check, Figure, Severity } from '../../lib/check.js'
import type { Trouble } from '../../lib/tls-trouble.js'
import type { CacheHealth } from '../../platform/cache/cache-store.js'
import type { PoolStats } from '../../platform/postgres/database.js'
import type { Probe } from './probe.js'
import type { JobTables } from './sql.js'

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
  readonly told: readonly State[]
}

/** A state that is either so or not: it is told at once, with what to do about it. */
export interface State {
  readonly check: string
  readonly severity: 'critical' | 'warning'
  readonly title: string
}

/** What is wrong right now, the worst first. A critical one: the database cannot be used as it is. */
export function statesOf(look: Look): State[] {
  const states = [...stored(look), ...look.told, ...cacheStates(look)]
  return states.sort(
    (a, b) => Number(b.severity === 'critical') - Number(a.severity === 'critical'),
  )
}

/** What of the same is well, with what was seen. */
export function wellIn(
  look: Look,
): { readonly check: string; readonly value: Figure; readonly threshold: Figure }[] {
  const wrong = new Set(statesOf(look).map(({ check }) => check))
  const seen = [
    { check: 'postgresql_down', value: look.probe.up ? 'up' : 'down', threshold: 'up' },
    { check: 'schema_not_current', value: look.schema.state, threshold: 'current' },
    { check: 'redis_down', value: look.cache.state, threshold: 'ready' },
  ]
  return seen.filter(({ check }) => !wrong.has(check))
}

/** What all parts say in words. */
export const toldBy = (checks: readonly Check[], isUp: boolean): State[] =>
  checks.flatMap((check) => {
    if ('measure' in check || (check.needsDatabase && !isUp)) return []
    const title = check.look()
    return title === null ? [] : [{ check: check.name, severity: check.severity, title }]
  })

/** The word for it. */
export function verdict(severities: readonly Severity[]) {
  if (severities.includes('critical')) return 'unhealthy' as const
  return severities.includes('warning') ? ('degraded' as const) : ('healthy' as const)
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

const critical = (check: string, title: string): State => ({ check, severity: 'critical', title })
const warning = (check: string, title: string): State => ({ check, severity: 'warning', title })

/** What is to be known of the database itself. */
function stored({ probe, schema, queueTrouble }: Look): State[] {
  if (!probe.up)
    return [critical('postgresql_down', `PostgreSQL is down: ${inWords(probe.trouble)}`)]
  const states: State[] = []
  if (probe.trouble) states.push(critical('postgresql_unusable', inWords(probe.trouble)))
  if (schema.state === 'failed') {
    states.push(critical('schema_not_current', `The schema is not usable: ${schema.reason}`))
  }
  if (schema.state === 'pending') {
    states.push(warning('schema_not_current', `The schema is not current yet: ${schema.reason}`))
  }
  // The catalogs know at once; what only the queue has met it says itself.
  const tables = JOB_TABLES[probe.server.job_tables]
  if (tables) states.push(critical('jobs_failing', tables))
  else if (queueTrouble) states.push(critical('jobs_failing', `${JOBS} ${inWords(queueTrouble)}`))
  return states
}

/** Without a cache everything works, only slower. */
function cacheStates({ cache }: Look): State[] {
  if (cache.state === 'ready' || cache.state === 'not running') return []
  return [warning('redis_down', `The cache is ${cache.state}: ${cache.reason}`)]
}
