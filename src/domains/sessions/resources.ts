import { z } from 'zod'
import { identifier } from '../../lib/schemas.js'
import { resourceFor } from '../../mcp/define.js'
import type { SessionService } from './service.js'

const resource = resourceFor<SessionService>()

export const activeSessions = resource({
  path: 'db/sessions/active',
  title: 'Active database sessions',
  description:
    'Your database sessions on this server with age and limits, and the number of sessions of others.',
  input: z.object({}),
  output: z.object({
    sessions: z.array(
      z.object({
        session_id: z.string(),
        started_at: z.string(),
        transaction_active: z.boolean(),
        operations_count: z.int(),
        isolation_level: z.string(),
        read_only: z.boolean(),
        idle_seconds: z.int(),
        expires_at: z.string(),
      }),
    ),
    others: z.int(),
  }),
  refreshedBy: ['db.session.expired'],
  read: async (_, { service, ...caller }) => service.active(caller),
})

export const sessionDetails = resource({
  path: 'db/sessions/{session_id}',
  title: 'One database session',
  description: 'The connection, transaction state and held locks of one of your sessions.',
  input: z.object({ session_id: identifier(64) }),
  output: z.object({
    session_id: z.string(),
    connection_info: z.object({ pool_id: z.string(), backend_pid: z.int().nullable() }),
    transaction_state: z.enum(['idle', 'active', 'failed']),
    locks_held: z.array(
      z.object({
        lock_type: z.string(),
        relation: z.string().nullable(),
        mode: z.string(),
        granted: z.boolean(),
      }),
    ),
  }),
  read: ({ session_id }, { service, ...caller }) => service.details(session_id, caller),
})
