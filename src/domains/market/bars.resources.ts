import { resourceFor } from '../../mcp/define.js'
import { barFilter, barPage } from './bars.schemas.js'
import type { BarService } from './bars.service.js'

const resource = resourceFor<BarService>()

export const prices = resource({
  path: 'prices',
  title: 'Price bars',
  description:
    'Stored OHLCV bars, the newest first, with their ATR (14, Wilder) and SMA (20): read prices?symbol=AAPL&timeframe=1d for the daily bars of one company. Without a symbol those of all. Prices are exact, as text.',
  input: barFilter,
  output: barPage,
  refreshedBy: ['db.transaction'],
  read: (filter, { service, tx }) => service.list(filter, tx),
})
