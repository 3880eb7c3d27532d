import { z } from 'zod'

const event = <P extends z.ZodObject>(doc: string, data: P) => ({ doc, data })

/**
 * Every event the server publishes: one entry is all there is to adding one. An event that reports a
 * fact in the database is written in the transaction that makes the fact, and carries that
 * transaction's id beside the fields below.
 */
export const EVENTS = {
  'db.transaction': event(
    'A persisting tool committed.',
    z.object({
      tools: z.array(z.string()),
      session_id: z.string().nullable(),
    }),
  ),
} as const

/** The name of a declared event. */
export type EventType = keyof typeof EVENTS

/** The payload an event of this type carries. */
export type EventData<T extends EventType> = z.output<(typeof EVENTS)[T]['data']>
