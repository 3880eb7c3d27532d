import { z } from 'zod'
import { toolFor } from '../../mcp/define.js'
import { After, EventList, EventName, Limit } from './schemas.js'
import type { EventService } from './service.js'

const tool = toolFor<EventService>()

export const listEvents = tool({
  name: 'list_events',
  title: 'List events',
  description:
    'Reads the event log: what was committed, expired or failed. Without after the newest events; with it all that came since, in order. wait_ms waits for the first new one.',
  effect: 'read',
  idempotent: true,
  openWorld: false,
  input: z.object({
    types: z.array(EventName.describe('A type.')).min(1).optional().describe('All unless given.'),
    after: After.optional().describe('next_cursor of the last answer.'),
    limit: Limit.describe('At most.'),
    wait_ms: z.int().min(0).max(25_000).default(0).describe('Longest wait.'),
  }),
  output: EventList,
  run: ({ types, after, limit, wait_ms }, { service, signal }) =>
    service.wait({ types: types ?? null, after: after ?? null, limit }, wait_ms, signal),
})
