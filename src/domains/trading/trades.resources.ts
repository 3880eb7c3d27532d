import { z } from 'zod'
import { NEXT_CURSOR, pageParameters } from '../../lib/page.js'
import { accountId, identifier, instant, storedSince, symbol } from '../../lib/schemas.js'
import { resourceFor } from '../../mcp/define.js'
import { positionItem, tradeItem } from './trades.schemas.js'
import type { TradeService } from './trades.service.js'

const resource = resourceFor<TradeService>()

const ofAccount = {
  account_id: accountId().optional(),
  symbol: symbol().optional(),
  since: instant().optional(),
  until: instant().optional(),
  stored_since: storedSince(),
  ...pageParameters(['instant', 'text']),
}

export const positions = resource({
  path: 'positions',
  title: 'Positions',
  description:
    'Positions, the newest opened first, with average entry, realised profit and, once closed, their outcome. Built from fills alone; filter by account, symbol, status, time of opening or closing.',
  input: z.object({
    status: z.enum(['open', 'closed']).optional(),
    outcome: z.enum(['win', 'loss', 'scratch']).optional(),
    closed_since: instant().optional().describe('Closed at or after it.'),
    ...ofAccount,
  }),
  output: z.object({ items: z.array(positionItem), next_cursor: NEXT_CURSOR }),
  refreshedBy: ['db.transaction'],
  read: (query, { service, tx }) => service.listPositions(query, tx),
})

export const trades = resource({
  path: 'trades',
  title: 'Fills',
  description:
    'Fills, the newest filled first, each with what it did to which position; filter by account, symbol, side, signal or fill time.',
  input: z.object({
    side: z.enum(['buy', 'sell']).optional(),
    signal_id: identifier(64).optional(),
    ...ofAccount,
  }),
  output: z.object({ items: z.array(tradeItem), next_cursor: NEXT_CURSOR }),
  refreshedBy: ['db.transaction'],
  read: (query, { service, tx }) => service.listTrades(query, tx),
})
