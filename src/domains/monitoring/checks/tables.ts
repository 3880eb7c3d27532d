import { humanBytes } from '../../../lib/bytes.js'
import type { Approach, Concern, Judgement, MeasuredCheck } from '../../../lib/check.js'
import type { Catalog, TableWork } from '../catalog.sql.js'
import type { Pulse } from '../pulse.sql.js'
import type { Bloat } from '../relations.sql.js'
import { inWords } from '../trend.js'
import { judged, percentText, ratio, severityOf, type Thresholds, type View } from '../view.js'

/** Autovacuum looks once a minute and then needs its time. */
const AUTOVACUUM_MS = 10 * 60_000
const TRANSACTION_IDS = 2 ** 31
const DAY = 86_400

/** What tables and sequences need. */
export const tableChecks = (view: View, limits: Thresholds): MeasuredCheck[] => [
  { name: 'dead_rows', measure: () => judged(view.catalog, (it) => deadRows(it, view, limits)) },
  {
    name: 'stale_statistics',
    measure: () => judged(view.catalog, (it) => staleStatistics(it, limits)),
  },
  {
    name: 'table_bloat',
    measure: () =>
      judged(view.indexes, (it) => bloat('table', it.table_bloat, limits.table_bloat_pct)),
  },
  {
    name: 'xid_wraparound',
    measure: () => judged(view.pulse, (it) => wraparound(it, view, limits)),
  },
  {
    name: 'sequence_exhaustion',
    measure: () => judged(view.catalog, (it) => sequences(it, limits)),
  },
  { name: 'missing_partition', measure: () => judged(view.catalog, missingPartition) },
  { name: 'unlogged_data', measure: () => judged(view.catalog, unloggedData) },
]

/** Without autovacuum nobody else comes; with it, it must have had its time. */
const patience = ({ autovacuum }: TableWork) => (autovacuum ? { afterMs: AUTOVACUUM_MS } : {})

function deadRows({ dead, worst_dead_share }: Catalog, view: View, limits: Thresholds): Judgement {
  const threshold = limits.dead_rows_pct[0] / 100
  const value = worst_dead_share === null ? 0 : ratio(worst_dead_share)
  const concerns = dead.flatMap((table): Concern[] => {
    const severity = severityOf(table.dead_share * 100, limits.dead_rows_pct)
    // Up to its own threshold autovacuum lets them be, and while it works they are on their way.
    if (!severity || table.is_being_vacuumed) return []
    if (table.autovacuum && table.dead_rows < table.vacuum_at * 1.5) return []
    const horizon = 'value' in view.pulse ? holderOf(view.pulse.value) : null
    const why = table.autovacuum ? '' : '; autovacuum is off for it'
    return [
      {
        severity,
        object: table.table,
        title: `${percentText(table.dead_share)} of the rows of ${table.table} are dead (${table.dead_rows})${why}.`,
        evidence: { ...workOf(table), kept_by: horizon },
        threshold,
        next_step: table.autovacuum
          ? `Vacuum it now; if that removes little, something still has to see these rows (xmin_horizon).`
          : `Vacuum it now and let autovacuum have it again: alter table ${table.table} reset (autovacuum_enabled).`,
        tool: {
          name: 'optimize_tables',
          arguments: { tables: [table.table], operations: ['vacuum'] },
        },
        ...patience(table),
      },
    ]
  })
  return { value, threshold, concerns }
}

/** The planner counts on figures of a table that has become another. */
function staleStatistics({ stale, worst_stale_share }: Catalog, limits: Thresholds): Judgement {
  const threshold = limits.stale_statistics_pct / 100
  const value = worst_stale_share === null ? 0 : ratio(worst_stale_share)
  const concerns = stale.flatMap((table): Concern[] => {
    if (table.changed_share < threshold) return []
    if (table.autovacuum && table.changed_rows < table.analyze_at * 1.5) return []
    return [
      {
        severity: 'warning',
        object: table.table,
        title: `${table.changed_rows} rows of ${table.table} changed since its last analyze; the planner still counts on ${table.planner_rows} rows.`,
        evidence: workOf(table),
        threshold,
        next_step: 'Analyze it: statements on it may run by a plan for the table that it was.',
        tool: { name: 'update_statistics', arguments: { tables: [table.table] } },
        ...patience(table),
      },
    ]
  })
  return { value, threshold, concerns }
}

/** Space that holds nothing, of tables and of indexes. */
export function bloat(
  kind: 'table' | 'index',
  found: readonly Bloat[],
  levels: readonly [number, number],
): Judgement {
  const threshold = levels[0] / 100
  const value = ratio(Math.max(0, ...found.map(({ share }) => share)))
  const concerns = found.flatMap(({ object, size_bytes, bloat_bytes, share }): Concern[] => {
    if (!severityOf(share * 100, levels)) return []
    const operation = kind === 'table' ? 'vacuum' : 'reindex'
    return [
      {
        // An estimate from the widths of columns: worth a look, never an alarm by itself.
        severity: 'warning',
        object,
        title: `About ${percentText(share)} (${humanBytes(bloat_bytes)}) of the ${kind} ${object} holds nothing.`,
        evidence: { size_bytes, bloat_bytes, share: ratio(share), method: 'estimated' },
        threshold,
        next_step:
          kind === 'table'
            ? 'New rows fill it. Vacuum makes it reusable; to give it back to the disk the table has to be written anew (pg_repack), never VACUUM FULL while it is used.'
            : `Build it anew beside the old one: reindex index concurrently ${object}.`,
        tool: { name: 'optimize_tables', arguments: { operations: [operation] } },
        afterMs: 60_000,
      },
    ]
  })
  return { value, threshold, concerns }
}

/** Who has to see the oldest rows, in words; null when nobody to speak of has. */
function holderOf({ sessions, slots, prepared, replicas }: Pulse): string | null {
  const holders = [
    ...sessions.map(({ pid, xmin_age }) => ({ what: `process ${pid}`, age: xmin_age })),
    ...slots.map(({ name, xmin_age }) => ({ what: `slot ${name}`, age: xmin_age })),
    ...prepared.map(({ gid, xmin_age }) => ({
      what: `prepared transaction ${gid}`,
      age: xmin_age,
    })),
    ...replicas.map(({ name, xmin_age }) => ({ what: `replica ${name}`, age: xmin_age })),
  ].sort((a, b) => (b.age ?? 0) - (a.age ?? 0))
  const [oldest] = holders
  return oldest?.age ? `${oldest.what}, ${oldest.age} transactions` : null
}

function wraparound(pulse: Pulse, view: View, limits: Thresholds): Judgement {
  const { xid_age, multixact_age, xid_database, database } = pulse
  const threshold = limits.xid_age_pct[0] / 100
  const age = Math.max(xid_age, multixact_age)
  const used = age / TRANSACTION_IDS
  const approaches = [{ object: null, value: age, limit: TRANSACTION_IDS, what: 'transaction ids' }]
  const severity = severityOf(used * 100, limits.xid_age_pct)
  if (!severity) return { value: ratio(used), threshold, concerns: [], approaches }
  const frozen = 'value' in view.catalog ? view.catalog.value.frozen : []
  const oldest = xid_database === database ? frozen[0]?.table : null
  const kept = holderOf(pulse)
  const concern: Concern = {
    severity,
    object: oldest ?? `database ${xid_database}`,
    title: `${percentText(used)} of the transaction ids are used up: the oldest is ${age} transactions old${oldest ? `, in ${oldest}` : ''}${kept ? '; something keeps vacuum from it' : ''}.`,
    evidence: {
      xid_age,
      multixact_age,
      database: xid_database,
      oldest_tables: frozen,
      kept_by: kept,
    },
    threshold,
    next_step: kept
      ? `End what keeps vacuum from freezing (${kept}), then vacuum (freeze) ${oldest ?? 'that database'}.`
      : `Run vacuum (freeze) on ${oldest ?? `the tables of ${xid_database}`}.`,
    ...(oldest
      ? {
          tool: {
            name: 'optimize_tables',
            arguments: { tables: [oldest], operations: ['vacuum'] },
          },
        }
      : {}),
  }
  return { value: ratio(used), threshold, concerns: [concern], approaches }
}

function sequences(
  { sequences: all, worst_sequence_share }: Catalog,
  limits: Thresholds,
): Judgement {
  const threshold = limits.sequence_used_pct[0] / 100
  const approaches = all.map(
    ({ sequence, last_value, limit_value }): Approach => ({
      object: sequence,
      value: last_value,
      limit: limit_value,
      what: 'sequence',
    }),
  )
  const concerns = all.flatMap((one): Concern[] => {
    const severity = severityOf(one.used_share * 100, limits.sequence_used_pct)
    if (!severity) return []
    const column = one.column ? ` of ${one.column}` : ''
    return [
      {
        severity,
        object: one.sequence,
        title: `The sequence ${one.sequence}${column} is ${percentText(one.used_share)} used up: ${one.last_value} of ${one.limit_value}.`,
        evidence: { ...one, used_share: ratio(one.used_share) },
        threshold,
        next_step: one.column
          ? `Widen ${one.column} to bigint by a migration (new column, copy in batches, swap) before it is full.`
          : 'Raise its maximum, or begin anew where values may repeat.',
      },
    ]
  })
  return { value: ratio(worst_sequence_share ?? 0), threshold, concerns, approaches }
}

/** The product's own months as the doctor wants them; of others a partition must be left a while before it is needed. */
function missingPartition({ missing_partitions: missing, horizons }: Catalog): Judgement {
  const own = (missing ?? []).map(
    ({ name, ahead }): Concern => ({
      severity: ahead === 0 ? 'critical' : 'warning',
      object: `catalyst.${name}`,
      title: `The partition catalyst.${name} for ${ahead === 0 ? 'this' : 'the next'} month is not there.`,
      evidence: { partition: name, months_ahead: ahead },
      threshold: 'this month and the next',
      next_step:
        'A server makes them at its start and every 12 hours: start one, or look into its log for what keeps it from that.',
    }),
  )
  const others = horizons.flatMap((one): Concern[] => {
    const left = one.seconds_left
    if (left >= Math.min(one.width_seconds, 7 * DAY)) return []
    return [
      {
        severity: left <= 0 ? 'critical' : 'warning',
        object: one.table,
        title:
          left <= 0
            ? `${one.table} has no partition for now: the last one, ${one.last_partition}, ended ${inWords(-left)} ago.`
            : `The last partition of ${one.table}, ${one.last_partition}, ends in ${inWords(left)}.`,
        evidence: { ...one, seconds_left: Math.round(left) },
        threshold: Math.min(one.width_seconds, 7 * DAY),
        next_step: `Create the next partition of ${one.table} from ${one.ends_at}; without it rows are refused.`,
        tool: { name: 'create_migration', arguments: { name: 'add_next_partition' } },
      },
    ]
  })
  const concerns = [...own, ...others]
  return { value: concerns.length, threshold: 1, concerns }
}

function unloggedData({ unlogged }: Catalog): Judgement {
  const concerns = unlogged.map(
    ({ table, size_bytes }): Concern => ({
      severity: 'info',
      object: table,
      title: `The table ${table} holds ${humanBytes(size_bytes)} and is unlogged: a crash empties it, and no replica has it.`,
      evidence: { size_bytes },
      threshold: 1,
      next_step: `If its rows matter: alter table ${table} set logged.`,
    }),
  )
  return { value: unlogged.length, threshold: 1, concerns }
}

const workOf = (table: TableWork) => ({
  live_rows: table.live_rows,
  dead_rows: table.dead_rows,
  dead_share: ratio(table.dead_share),
  changed_rows: table.changed_rows,
  planner_rows: table.planner_rows,
  size_bytes: table.size_bytes,
  autovacuum: table.autovacuum,
  last_vacuum: table.last_vacuum,
  last_analyze: table.last_analyze,
})
