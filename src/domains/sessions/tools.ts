import { z } from 'zod'
import { idempotencyKey, identifier } from '../../lib/schemas.js'
import { toolFor } from '../../mcp/define.js'
import type { SessionService } from './service.js'

const tool = toolFor<SessionService>()

const SessionId = identifier(64).describe('The handle from start_db_session.')

const Operation = z
  .union([
    z
      .strictObject({
        tool: z.string().max(128).describe('Its name.'),
        params: z.record(z.string(), z.unknown()).describe('Its arguments.'),
      })
      .describe('A write.'),
    z.strictObject({ resource: z.string().max(2_000).describe('Its path.') }).describe('A read.'),
  ])
  .describe('One step.')

const ISOLATION = {
  read_committed: 'read committed',
  repeatable_read: 'repeatable read',
  serializable: 'serializable',
} as const

export const startDbSession = tool({
  name: 'start_db_session',
  title: 'Start a database session',
  description:
    'Leases a database session for writes that must happen together or not at all. Pass its session_id to persisting tools or execute_transaction, then end_db_session. Unused, it is rolled back at expires_at.',
  effect: 'write',
  idempotent: false,
  openWorld: false,
  input: z.object({
    isolation_level: z
      .enum(['read_committed', 'repeatable_read', 'serializable'])
      .default('read_committed')
      .describe('What it sees of others.'),
    read_only: z.boolean().default(false).describe('Refuse writes.'),
  }),
  output: z.object({
    session_id: z.string(),
    expires_in: z.int().describe('Seconds until it ends unless it is used.'),
    expires_at: z.string(),
  }),
  run: ({ isolation_level, read_only }, { service, ...caller }) =>
    service.start(ISOLATION[isolation_level], read_only, caller),
})

export const executeTransaction = tool({
  name: 'execute_transaction',
  title: 'Execute operations in a transaction',
  description:
    "Runs operations (persisting tools {tool, params} or reads {resource}) in order in the session's transaction and commits it, unless commit is false. One that fails rolls all back: the error names its index, and the session stays usable.",
  effect: 'write',
  idempotent: false,
  openWorld: true,
  input: z.object({
    session_id: SessionId,
    operations: z.array(Operation).max(1_000).describe('In order.'),
    commit: z.boolean().default(true).describe('At the end.'),
    idempotency_key: idempotencyKey(),
  }),
  output: z.object({
    results: z.array(z.unknown()),
    transaction_id: z.string(),
    committed: z.boolean(),
    replayed: z.literal(true).optional(),
  }),
  run: (call, { service, ...caller }) => service.execute(call, caller),
})

export const endDbSession = tool({
  name: 'end_db_session',
  title: 'End a database session',
  description:
    'Ends a session: commit keeps what its open transaction holds, rollback drops it. The connection is given back at once.',
  effect: 'write',
  idempotent: false,
  openWorld: false,
  input: z.object({
    session_id: SessionId,
    outcome: z.enum(['commit', 'rollback']).describe('Keep or drop.'),
    idempotency_key: idempotencyKey(),
  }),
  output: z.object({
    outcome: z.enum(['commit', 'rollback']),
    operations_count: z.int(),
    replayed: z.literal(true).optional(),
  }),
  run: (call, { service, ...caller }) => service.end(call, caller),
})
