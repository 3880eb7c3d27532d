import { z } from 'zod'
import { EVENT_TYPES } from '../../events.js'
import { resourceFor } from '../../mcp/define.js'
import { After, EventList, EventName, Limit } from './schemas.js'
import type { EventService } from './service.js'

const resource = resourceFor<EventService>()

export const events = resource({
  path: 'events',
  title: 'Event log',
  description:
    'What happened, in order and replayable: read events?after=<next_cursor> to go on and miss nothing. Without "after" the newest events. Subscribe to be told when there are more.',
  input: z.object({
    types: z
      .string()
      .transform((value) => value.split(','))
      .pipe(z.array(EventName))
      .optional()
      .describe('Only these types, separated by commas.'),
    after: After.optional(),
    limit: Limit,
  }),
  output: EventList,
  refreshedBy: EVENT_TYPES,
  read: ({ types, after, limit }, { service }) =>
    service.list({ types: types ?? null, after: after ?? null, limit }),
})

export const eventsOfType = resource({
  path: 'events/{type}',
  title: 'Events of one type',
  description: 'The event log of one type, and the URI to subscribe to for it.',
  input: z.object({ type: EventName, after: After.optional(), limit: Limit }),
  output: EventList,
  read: ({ type, after, limit }, { service }) =>
    service.list({ types: [type], after: after ?? null, limit }),
})
