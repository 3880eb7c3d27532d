import { z } from 'zod'
import { text } from '../../lib/schemas.js'
import { toolFor } from '../../mcp/define.js'
import type { ExploreService } from './service.js'

const tool = toolFor<ExploreService>()

export const readResource = tool({
  name: 'read_resource',
  title: 'Read a resource',
  description:
    'Reads stored data and the state of the system as JSON: news, signals, positions, trades, patterns, prices, market clock, health, sessions, cache, migrations, events, jobs. uri help (or none) names every path with its filters; db/status tells whether the database can be trusted; news?symbol=AAPL&limit=20 filters, gone on with its next_cursor.',
  effect: 'read',
  idempotent: true,
  openWorld: true,
  alwaysLoad: true,
  input: z.object({
    uri: text(2_000).default('help').describe('db/status, or catalyst://db/status; help for all'),
  }),
  output: z.looseObject({}),
  run: ({ uri }, { service, ...caller }) => service.read(uri, caller),
})
