import { z } from 'zod'
import { marks } from './lib/marks.js'
import { refs } from './lib/refs.js'

/** How much an event should worry its reader. */
export type Severity = 'info' | 'warning' | 'critical'

const event = <P extends z.ZodObject>(severity: Severity, doc: string, data: P) => ({
  severity,
  doc,
  data,
})

/**
 * Every event the server publishes: one entry is all there is to adding one. An event that reports a
 * fact in the database is written in the transaction that makes the fact, and carries that
 * transaction's id beside the fields below. One that reports a change names in `refs` what changed.
 */
export const EVENTS = {
  'db.transaction': event(
    'info',
    'Persisting tools committed a transaction.',
    z.object({
      tools: z.array(z.string()),
      /** Not the handle: `sess#` and the first 12 hexadecimal digits of its SHA-256. */
      session_id: z.string().nullable(),
      /** Of more than a thousand things the others are in further events of the same transaction. */
      refs: refs(),
      /** The cached values it outdates; left out when there are none. */
      touched: marks().optional(),
    }),
  ),
  'cache.invalidation': event(
    'info',
    'Cached values were declared outdated on request, or removed after a change had outdated them.',
    z.object({
      cause: z.enum(['request', 'change']),
      /** What is outdated from here on; both are left out after a change, whose own event says it. */
      touched: marks().optional(),
      pattern: z.string().optional(),
      /** Keys removed; null on request, for that is told before they are looked for. */
      keys_deleted: z.int().nullable(),
    }),
  ),
  'cache.memory.high': event(
    'warning',
    'The memory of the cache is nearly full (on), or no longer is (off).',
    z.object({
      state: z.enum(['on', 'off']),
      /** `out_of_memory`: it refused a value. */
      cause: z.enum(['sample', 'out_of_memory']),
      used_memory_bytes: z.int().nullable(),
      max_memory_bytes: z.int().nullable(),
      /** used / max, null where one of them is not known. */
      used_share: z.number().nullable(),
    }),
  ),
  'db.session.expired': event(
    'warning',
    'A database session passed its time limit; what it had not committed was rolled back.',
    z.object({
      session_id: z.string(),
      limit: z.enum(['idle', 'absolute']),
      transaction_rolled_back: z.boolean(),
    }),
  ),
  'job.finished': event(
    'info',
    'A long operation succeeded, failed or was cancelled.',
    z.object({
      job_id: z.string(),
      tool: z.string(),
      state: z.enum(['succeeded', 'failed', 'cancelled']),
      refs: refs(),
    }),
  ),
  'sync.completed': event(
    'info',
    'A sync drew its lessons from what had happened since the last one.',
    z.object({
      sync: z.enum(['catalyst_outcomes', 'source_metrics', 'pattern_outcomes']),
      /** Positions, sources or patterns whose figures changed. */
      changed: z.int(),
      /** The first thousand; the `db.transaction` events of the sync name all. */
      refs: refs(),
    }),
  ),
  'migration.applied': event(
    'info',
    'A migration was applied, rolled back, or only recorded.',
    z.object({
      version: z.int(),
      name: z.string(),
      direction: z.enum(['up', 'down', 'baseline', 'repair']),
      duration_ms: z.number(),
      /** A principal, `cli` or `server start`. */
      by: z.string(),
      refs: refs(),
    }),
  ),
  'db.schema.changed': event(
    'info',
    'A migration changed the schema.',
    z.object({
      version: z.int(),
      /** What its statements name: tables, views, types, functions. */
      objects: z.array(z.string()),
      refs: refs(),
    }),
  ),
  'db.error': event(
    'critical',
    'A database error took something away from a client.',
    z.object({
      code: z.string(),
      message: z.string(),
      session_id: z.string().nullable(),
    }),
  ),
} as const

/** The name of a declared event. */
export type EventType = keyof typeof EVENTS

/** The payload an event of this type carries. */
export type EventData<T extends EventType> = z.output<(typeof EVENTS)[T]['data']>

/** What its writer says of an event: what a transaction changed is known to the transaction. */
export type EventFacts<T extends EventType> = T extends 'db.transaction'
  ? Omit<EventData<T>, 'refs'>
  : EventData<T>

/** All declared names. */
export const EVENT_TYPES = Object.keys(EVENTS) as [EventType, ...EventType[]]

/** One event of the log, as clients read it. */
export interface PublishedEvent {
  readonly seq: number
  readonly type: string
  readonly at: string
  readonly severity: Severity
  readonly data: Record<string, unknown>
}
