import { z } from 'zod'
import { nonEmptyText } from '../../lib/schemas.js'
import { toolFor } from '../../mcp/define.js'
import type { ExploreService } from './service.js'

const tool = toolFor<ExploreService>()

export const readResource = tool({
  name: 'read_resource',
  title: 'Read a resource',
  description:
    'Reads one resource by its URI and answers its JSON: for hosts whose model cannot read resources by itself. Start with "db/status" for the health of the database; "cache/stats" and "db/performance/connections" tell more. Query parameters are optional, such as "db/performance/connections?limit=20". Changes nothing.',
  effect: 'read',
  idempotent: true,
  openWorld: true,
  input: z.object({
    uri: nonEmptyText(2_000).describe('catalyst://db/status, or just db/status'),
  }),
  output: z.looseObject({}),
  run: ({ uri }, { service, ...caller }) => service.read(uri, caller),
})
