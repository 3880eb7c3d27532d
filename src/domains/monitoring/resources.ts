import { z } from 'zod'
import { resourceFor } from '../../mcp/define.js'
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
    object_store: z.object({ status: z.literal('unknown'), reason: z.string() }),
    last_backup: z.object({ at: z.null(), reason: z.string() }),
    schema_version: z.int().nullable(),
    uptime_seconds: count,
    checked_at: z.string(),
  }),
  read: (_, { service }) => service.currentStatus(),
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
