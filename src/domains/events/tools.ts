import { z } from 'zod'
import { toolFor } from '../../mcp/define.js'
import { After, EventList, EventName, Limit } from './schemas.js'
import type { EventService } from './service.js'

const tool = toolFor<EventService>()

export const listEvents = tool({
  name: 'list_events',
  title: 'List events',
  description:
    'Reads the event log: what was committed, expired, failed. Without "after" the newest events; with it everything after that cursor, in order. With wait_ms it waits for the first new event, for hosts without subscriptions. Changes nothing.',
  effect: 'read',
  idempotent: true,
  openWorld: false,
  input: z.object({
    types: z.array(EventName).min(1).optional(),
    after: After.optional().describe('next_cursor of the last answer.'),
    limit: Limit,
    wait_ms: z.int().min(0).max(25_000).default(0),
  }),
  output: EventList,
  run: ({ types, after, limit, wait_ms }, { service, signal }) =>
    service.wait({ types: types ?? null, after: after ?? null, limit }, wait_ms, signal),
})
