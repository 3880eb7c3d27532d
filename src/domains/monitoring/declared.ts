import { z } from 'zod'
import { declare, event } from '../../kernel/declare.js'

/** Two thresholds: from the first on it is a warning, from the second on critical. */
const levels = (warning: number, critical: number, doc: string) =>
  z
    .tuple([z.number().min(0), z.number().min(0)])
    .refine(([low, high]) => low <= high, 'the first, a warning, must not be above the second')
    .default([warning, critical])
    .describe(`${doc} Warning, critical.`)
/** The same for what is better the more there is. */
const floors = (warning: number, critical: number, doc: string) =>
  z
    .tuple([z.number().min(0), z.number().min(0)])
    .refine(([high, low]) => low <= high, 'the first, a warning, must not be below the second')
    .default([warning, critical])
    .describe(`${doc} Below the first a warning, below the second critical.`)
const level = (value: number, doc: string) => z.number().min(0).default(value).describe(doc)

/** When the database is not well. */
const MONITORING = z.strictObject({
  sample_seconds: z
    .number()
    .min(0.1)
    .max(60)
    .default(10)
    .describe(
      'Rest between two samples; catalogs and statements are read less often where that takes long.',
    ),
  keep_minutes_days: z
    .int()
    .min(1)
    .max(90)
    .default(14)
    .describe('One-minute history is kept so long.'),
  keep_days: z.int().min(1).max(3_650).default(90).describe('Ten-minute history is kept so long.'),
  own_db_ms_per_minute: level(3_000, 'Time of the database that looking may take.'),
  connections_used_pct: levels(
    80,
    95,
    'Of what max_connections leaves to ordinary roles, or of the limit of the role or database.',
  ),
  pool_waiting_seconds: levels(30, 120, 'Calls wait for a pooled connection so long.'),
  idle_in_transaction_seconds: levels(
    300,
    900,
    'A session holds a transaction open and does nothing.',
  ),
  long_transaction_seconds: levels(600, 3_600, 'Age of a transaction that works.'),
  long_query_seconds: levels(300, 3_600, 'Age of a running statement.'),
  blocked_seconds: levels(60, 300, 'Longest wait for a lock.'),
  blocked_sessions: levels(5, 20, 'More sessions than these wait for locks.'),
  deadlocks_per_minute: levels(1, 6, 'Deadlocks in the last minute.'),
  rollback_pct: levels(
    2,
    10,
    'Share of transactions rolled back, of at least 1 000 in ten minutes.',
  ),
  cache_hit_pct: floors(95, 90, 'Share of blocks found in shared buffers, of at least 10 000.'),
  slow_query_ms: level(1_000, 'Mean time of a statement from which it is slow.'),
  slow_query_calls: level(5, 'Calls in ten minutes from which a slow statement is told.'),
  query_regression_factor: levels(
    2,
    5,
    'A statement takes so many times its mean of the last day.',
  ),
  temp_files_per_10_minutes: levels(10, 1_000, 'Files that statements spilled.'),
  temp_mb_per_10_minutes: levels(1_024, 10_240, 'Megabytes that statements spilled.'),
  checkpoints_requested_per_10_minutes: levels(5, 60, 'Checkpoints that WAL volume asked for.'),
  dead_rows_pct: levels(
    10,
    25,
    'Share of dead rows, of more than 10 000, that autovacuum should have removed.',
  ),
  table_bloat_pct: levels(50, 80, 'Estimated free and dead space of a table of more than 100 MB.'),
  index_bloat_pct: levels(50, 80, 'Estimated free space of an index of more than 100 MB.'),
  stale_statistics_pct: level(20, 'Rows changed since the last analyze, of the rows there are.'),
  xid_age_pct: levels(50, 75, 'Oldest transaction or multixact id, of 2^31.'),
  xmin_horizon_transactions: levels(
    1_000_000,
    100_000_000,
    'Transactions since a session, slot or prepared transaction keeps vacuum from removing rows.',
  ),
  prepared_transaction_seconds: levels(600, 3_600, 'Age of a prepared transaction.'),
  sequence_used_pct: levels(70, 90, 'Of what the sequence, or the column it fills, can hold.'),
  unused_index_mb: level(50, 'Indexes from this size on are named when nothing has read them.'),
  unused_index_days: level(14, 'Days of statistics that this needs.'),
  replication_lag_seconds: levels(30, 300, 'A replica is so far behind.'),
  replication_lag_mb: levels(100, 1_024, 'Megabytes a replica is behind.'),
  slot_wal_mb: levels(1_024, 10_240, 'Megabytes of WAL that a replication slot keeps.'),
  disk_used_pct: levels(85, 95, 'Of the disk of the data directory, where it can be seen.'),
  redis_evictions_per_minute: level(1, 'Entries that a full cache dropped.'),
  redis_hit_pct: level(80, 'Share of reads of Redis that found something, of at least 1 000.'),
  event_loop_ms: levels(100, 500, 'Delay of this process (99th percentile), for a minute.'),
  process_memory_pct: levels(70, 90, 'Memory of this process, of its limit.'),
  audit_mb: level(
    256,
    'Size of the audit log from which on it is named when it is a tenth of the database.',
  ),
  backup_overdue_hours: levels(26, 50, 'Age of the last full backup.'),
  backup_unverified_days: levels(8, 30, 'Age of the last verified restore.'),
})

const state = z.enum(['on', 'off'])
const evidence = z.record(z.string(), z.unknown())

/** What monitoring declares. */
export const monitoring = declare({
  policy: {
    monitoring: MONITORING,
  },
  events: {
    'db.performance.degraded': event(
      'warning',
      'A check of monitoring is no longer well (on), or is again (off).',
      z.object({
        check: z.string(),
        object: z.string().nullable(),
        state,
        severity: z.enum(['critical', 'warning', 'info']),
        title: z.string(),
        evidence,
      }),
    ),
    'replication.lag': event(
      'warning',
      'A replica is far behind (on), or no longer is (off).',
      z.object({
        state,
        replica: z.string().nullable(),
        severity: z.enum(['critical', 'warning', 'info']),
        lag_seconds: z.number().nullable(),
        lag_bytes: z.number().nullable(),
        title: z.string(),
      }),
    ),
  },
})
