import { z } from 'zod'
import { EVENT_TYPES } from '../../events.js'

const MAX_LIMIT = 1_000

/** What a list of events answers. */
export const EventList = z.object({
  events: z.array(
    z.object({
      seq: z.int(),
      type: z.string(),
      at: z.string(),
      severity: z.enum(['info', 'warning', 'critical']),
      data: z.looseObject({}),
    }),
  ),
  next_cursor: z.int().describe('Pass it as "after" to go on without missing anything.'),
  oldest_seq: z.int().nullable().describe('Older events are no longer kept.'),
})

/** The name of an event; unknown names are refused so that a typing error is not silence. */
export const EventName = z.enum(EVENT_TYPES)

/** Where to go on from. */
export const After = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER)

/** How many at most. */
export const Limit = z.coerce.number().int().min(1).max(MAX_LIMIT).default(100)
