import { z } from 'zod'
import { NEXT_CURSOR, pageParameters } from '../../lib/page.js'
import { resourceFor } from '../../mcp/define.js'
import { LATEST_REPORT, LEDGER_ROW, LISTED_REPORT, RECOMMENDATION, STATUS } from './schemas.js'
import type { AssistantService } from './service.js'

const resource = resourceFor<AssistantService>()

const PAGE = pageParameters(['instant', 'text'])

export const latestReport = resource({
  path: 'assistant/reports/latest',
  title: 'The newest maintenance report',
  description:
    'What the last round of maintenance found, did, proposed and left alone, each with its reason and what came of it. Also of a dry run. Call run_maintenance for a new one.',
  input: z.object({}),
  output: LATEST_REPORT,
  refreshedBy: ['assistant.report'],
  read: (_, { service }) => service.latest() as Promise<z.input<typeof LATEST_REPORT>>,
})

export const reports = resource({
  path: 'assistant/reports',
  title: 'Maintenance reports',
  description: 'When rounds of maintenance ran and what they came to, the newest first.',
  input: z.object(PAGE),
  output: z.object({ reports: z.array(LISTED_REPORT), next_cursor: NEXT_CURSOR }),
  refreshedBy: ['assistant.report'],
  read: (query, { service }) => service.reports(query),
})

export const recommendations = resource({
  path: 'assistant/recommendations',
  title: 'What the assistant proposes',
  description:
    'Actions that wait for a person, and what became of earlier ones: the exact tool call, its reason and evidence. Filter by status=open; decide with decide_recommendation.',
  input: z.object({ status: STATUS.optional(), ...PAGE }),
  output: z.object({ recommendations: z.array(RECOMMENDATION), next_cursor: NEXT_CURSOR }),
  refreshedBy: ['assistant.action', 'assistant.report'],
  read: (query, { service }) => service.recommendations(query),
})

export const actions = resource({
  path: 'assistant/actions',
  title: 'The ledger of the assistant',
  description:
    'Everything that the assistant did, tried, proposed or skipped, the newest first: why, the figure before and after, and whether it helped. One that is running began and has not ended yet.',
  input: z.object(PAGE),
  output: z.object({ actions: z.array(LEDGER_ROW), next_cursor: NEXT_CURSOR }),
  refreshedBy: ['assistant.action', 'assistant.report'],
  read: (query, { service }) => service.actions(query),
})
