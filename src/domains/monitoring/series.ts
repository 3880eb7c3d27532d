/** Units of figures. */
type Unit =
  | 'per_second'
  | 'per_minute'
  | 'ratio'
  | 'ms'
  | 'count'
  | 'bytes'
  | 'bytes_per_second'
  | 'seconds'

/** One kind of figure that has a history. */
interface Series {
  readonly unit: Unit
  /** Answered without being named. */
  readonly isUsual?: true
  readonly doc: string
}

/** Every figure with a history, by its name. */
export const SERIES = {
  tps: { unit: 'per_second', isUsual: true, doc: 'Transactions that ended.' },
  rollback_ratio: { unit: 'ratio', isUsual: true, doc: 'Rolled back, of all that ended.' },
  query_avg_ms: { unit: 'ms', isUsual: true, doc: 'Mean time of a statement.' },
  statement_p95_ms: {
    unit: 'ms',
    isUsual: true,
    doc: '95th percentile over all calls, each counted with the mean of its statement.',
  },
  cache_hit_ratio: { unit: 'ratio', isUsual: true, doc: 'Blocks found in shared buffers.' },
  redis_hit_ratio: { unit: 'ratio', isUsual: true, doc: 'Reads of Redis that found something.' },
  pool_active: { unit: 'count', isUsual: true, doc: 'Pooled connections in use.' },
  pool_waiting: { unit: 'count', isUsual: true, doc: 'Calls that wait for one.' },
  connections: { unit: 'count', isUsual: true, doc: 'Connections of clients to PostgreSQL.' },
  errors_per_minute: { unit: 'per_minute', isUsual: true, doc: 'Tool calls that failed.' },
  calls_per_minute: { unit: 'per_minute', isUsual: true, doc: 'Tool calls.' },
  call_p95_ms: { unit: 'ms', isUsual: true, doc: '95th percentile of tool calls.' },
  db_size_bytes: { unit: 'bytes', isUsual: true, doc: 'Size of the database.' },
  wal_bytes_per_second: { unit: 'bytes_per_second', doc: 'WAL that is written.' },
  replication_lag_seconds: { unit: 'seconds', doc: 'Of the replica furthest behind.' },
  temp_bytes_per_second: { unit: 'bytes_per_second', doc: 'What statements spill.' },
  deadlocks: { unit: 'per_minute', doc: 'Deadlocks.' },
  blocked_sessions: { unit: 'count', doc: 'Sessions that wait for locks.' },
  oldest_transaction_seconds: { unit: 'seconds', doc: 'Age of the oldest open transaction.' },
  dead_rows: { unit: 'count', doc: 'Rows that vacuum can remove.' },
  checkpoints_requested: { unit: 'per_minute', doc: 'Checkpoints forced by WAL.' },
  redis_memory_bytes: { unit: 'bytes', doc: 'Memory of Redis.' },
  event_loop_p99_ms: { unit: 'ms', doc: 'Delay of this process.' },
  process_memory_bytes: { unit: 'bytes', doc: 'Resident memory of this process.' },
  rpo_seconds: { unit: 'seconds', doc: 'Of the newest data no backup has yet.' },
  own_db_ms_per_minute: {
    unit: 'ms',
    doc: 'Time of the database that monitoring takes in a minute.',
  },
} as const satisfies Record<string, Series>

/** The name of a figure that has a history. */
export type SeriesName = keyof typeof SERIES

/** All names. */
export const SERIES_NAMES = Object.keys(SERIES) as [SeriesName, ...SeriesName[]]

/** Those that are answered unless others are named. */
export const USUAL: readonly SeriesName[] = SERIES_NAMES.filter((name) => 'isUsual' in SERIES[name])

/** Figures of one moment, or their means over a while; null is not known. */
export type Figures = Readonly<Partial<Record<SeriesName, number | null>>>

/** Figures with the moment they stand for. */
export interface Sampled {
  /** In milliseconds since 1970. */
  readonly at: number
  /** How long a stretch they stand for, in milliseconds. */
  readonly spanMs: number
  readonly figures: Figures
}

/** The means of some; null where none of them knows. */
export function meanOf(
  samples: readonly Pick<Sampled, 'figures'>[],
  names = SERIES_NAMES,
): Figures {
  return Object.fromEntries(
    names.map((name) => {
      const values = samples.flatMap(({ figures }) => figures[name] ?? [])
      return [
        name,
        values.length === 0
          ? null
          : exact(values.reduce((sum, value) => sum + value, 0) / values.length),
      ]
    }),
  )
}

/** As many digits as anybody reads. */
export const exact = (value: number): number =>
  Math.abs(value) >= 1_000 ? Math.round(value) : Number(value.toPrecision(4))
