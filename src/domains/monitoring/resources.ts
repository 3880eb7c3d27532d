import { z } from 'zod'
import { NEXT_CURSOR, pageParameters } from '../../lib/page.js'
import { resourceFor } from '../../mcp/define.js'
import { counts, finding, lockTree, passed, series, timeframe, unknown } from './schemas.js'
import type { MonitoringService } from './service.js'

const resource = resourceFor<MonitoringService>()

const engine = z.enum(['embedded', 'external', 'in-process'])
const count = z.int().min(0)
const pool = z.object({ total: count, active: count, idle: count, waiting: count, max: count })

export const status = resource({
  path: 'db/status',
  title: 'Database status',
  description:
    'Whether the database can be trusted right now: PostgreSQL, cache, connection pool, replication and schema, with a verdict (healthy, degraded, unhealthy) and its reasons. Looked up at each read, over a connection of its own. Read it first.',
  input: z.object({}),
  output: z.object({
    status: z.enum(['healthy', 'degraded', 'unhealthy']),
    reasons: z.array(z.string()),
    findings: counts,
    postgresql: z.object({
      status: z.enum(['up', 'down']),
      engine,
      version: z.string().nullable(),
      since: z.string().nullable(),
      latency_ms: z.number().nullable(),
      in_recovery: z.boolean().nullable(),
      connections: count.nullable(),
      max_connections: count.nullable(),
      reason: z.string().nullable(),
    }),
    redis: z.object({
      status: z.string(),
      engine,
      since: z.string().nullable(),
      reason: z.string().nullable(),
    }),
    connection_pool: pool,
    replication_lag: z
      .object({
        max_lag_seconds: z.number().nullable(),
        replicas: z.array(
          z.object({
            name: z.string(),
            state: z.string(),
            lag_seconds: z.number().nullable(),
            lag_bytes: z.union([z.number(), z.string()]).nullable(),
          }),
        ),
      })
      .nullable(),
    object_store: z.object({
      status: z.enum(['ok', 'failing', 'unknown']),
      reason: z.string().nullable(),
    }),
    last_backup: z.object({
      at: z.string().nullable(),
      backup_id: z.string().nullable(),
      covered_until: z.string().nullable(),
      rpo_seconds: z.number().nullable(),
      verified_at: z.string().nullable(),
      reason: z.string().nullable(),
    }),
    schema_version: z.int().nullable(),
    uptime_seconds: count,
    checked_at: z.string(),
  }),
  refreshedBy: ['db.performance.degraded', 'replication.lag'],
  read: (_, { service }) => service.currentStatus(),
})

export const findings = resource({
  path: 'db/findings',
  title: 'What is wrong, well and unknown',
  description:
    'Everything that was checked: each finding with its cause, object, figures, threshold, since when, trend and next step; each check that is well with its value; what cannot be known and why. Read it when db/status is not healthy, or to see what is checked.',
  input: z.object({ severity: z.enum(['critical', 'warning', 'info']).optional() }),
  output: z.object({
    status: z.enum(['healthy', 'degraded', 'unhealthy']),
    counts,
    findings: z.array(finding),
    passed: z.array(passed),
    unknown: z.array(unknown),
    sampled_at: z.string().nullable(),
  }),
  refreshedBy: ['db.performance.degraded', 'replication.lag'],
  read: ({ severity }, { service }) => service.findings(severity),
})

export const metrics = resource({
  path: 'db/metrics',
  title: 'Metrics over time',
  description:
    'Throughput, latency, hit ratios, pool, connections, errors, calls and size over a time frame of 15 minutes to 30 days, with gaps where nothing is known. Without series an overview of twelve points each; with series (names, comma-separated) up to 300 points of each.',
  input: z.object({ timeframe: timeframe(), series: series() }),
  output: z.object({
    timeframe: z.string(),
    from: z.string(),
    to: z.string(),
    step_seconds: z.number(),
    series: z.record(
      z.string(),
      z.object({
        unit: z.string(),
        points: z.array(z.tuple([z.string(), z.number().nullable()])),
      }),
    ),
    summary: z.record(
      z.string(),
      z.object({
        min: z.number().nullable(),
        avg: z.number().nullable(),
        max: z.number().nullable(),
        last: z.number().nullable(),
      }),
    ),
    gaps: z.array(z.tuple([z.string(), z.string()])),
    unavailable: z.record(z.string(), z.string()),
  }),
  read: ({ timeframe: [text, windowMs], series: names }, { service }) =>
    service.metrics({ timeframe: text, windowMs, series: names }),
})

export const locks = resource({
  path: 'db/locks',
  title: 'Who blocks whom',
  description:
    'Sessions that wait for locks right now, as trees with whoever has to move first at the root: process, state, ages, the lock, the statement, and a safe next step. Empty when nobody waits.',
  input: z.object({}),
  output: z.object({
    blocked: count,
    longest_wait_ms: z.number().nullable(),
    trees: z.array(lockTree.extend({ next_step: z.string() })),
  }),
  read: (_, { service }) => service.locks(),
})

export const slowQueries = resource({
  path: 'db/performance/slow-queries',
  title: 'Slow queries',
  description:
    "Statements whose mean time is at least threshold_ms, those that take most time in all first, from the differences of pg_stat_statements; the server's own statements are not among them. since says from when on; complete is false when PostgreSQL has dropped some.",
  input: z.object({
    threshold_ms: z.coerce.number().min(0).max(86_400_000).default(1_000),
    limit: z.coerce.number().int().min(1).max(500).default(20),
  }),
  output: z.object({
    queries: z.array(
      z.object({
        query: z.string().nullable(),
        queryid: z.string(),
        avg_time_ms: z.number(),
        calls: z.number(),
        total_time_ms: z.number(),
        rows: z.number(),
        hit_rate: z.number().nullable(),
        share_of_total: z.number().nullable(),
        temp_bytes: z.number(),
        first_seen: z.string().nullable(),
        trend: z.object({ recent_avg_ms: z.number(), factor: z.number() }).nullable(),
      }),
    ),
    since: z.string().nullable(),
    complete: z.boolean().nullable(),
    unavailable_reason: z.string().nullable(),
  }),
  read: (query, { service }) => service.slowQueries(query),
})

/** The specification's overview uses the short name. */
export const slowQueriesAlias: typeof slowQueries = { ...slowQueries, path: 'db/slow-queries' }

export const tables = resource({
  path: 'db/performance/tables',
  title: 'Table statistics',
  description:
    'Tables by size, the largest first: rows, hit rates of table and indexes, dead rows, bloat (measured or estimated), last vacuum and analyze, sequential scans, growth a day (null until it was watched for ten minutes).',
  input: z.object(pageParameters(['bigint', 'bigint'], { max: 500, default: 20 })),
  output: z.object({
    tables: z.array(
      z.object({
        name: z.string(),
        size: z.string(),
        size_bytes: z.number(),
        rows: z.number(),
        index_hit_rate: z.number().nullable(),
        cache_hit_rate: z.number().nullable(),
        dead_rows: z.number().nullable(),
        bloat: z
          .object({
            bytes: z.number(),
            share: z.number(),
            method: z.enum(['measured', 'estimated']),
          })
          .nullable(),
        last_vacuum: z.string().nullable(),
        last_analyze: z.string().nullable(),
        sequential_scans: z.number().nullable(),
        growth_bytes_per_day: z.number().nullable(),
      }),
    ),
    next_cursor: NEXT_CURSOR,
  }),
  read: ({ limit, cursor }, { service }) => service.tables(limit, cursor),
})

export const connections = resource({
  path: 'db/performance/connections',
  title: 'Database connections',
  description:
    'The connection pool of this server, and every backend of the database with its state, wait event, ages and current query; the oldest transaction first.',
  input: z.object({ limit: z.coerce.number().int().min(1).max(500).default(100) }),
  output: z.object({
    pool_stats: pool,
    connection_details: z.array(
      z.object({
        pid: z.int(),
        application_name: z.string(),
        state: z.string().nullable(),
        wait_event: z.string().nullable(),
        connected_at: z.string(),
        transaction_age_ms: z.number().nullable(),
        query_age_ms: z.number().nullable(),
        query: z.string().nullable(),
      }),
    ),
  }),
  read: ({ limit }, { service }) => service.connections(limit),
})

/** The specification's overview uses the short name. */
export const connectionsAlias: typeof connections = { ...connections, path: 'db/connections' }
