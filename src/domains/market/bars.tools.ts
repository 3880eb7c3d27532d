import { persistToolFor } from '../../mcp/define.js'
import { priceBars, priceBarsAnswer } from './bars.schemas.js'
import type { BarService } from './bars.service.js'

const tool = persistToolFor<BarService>()

/** Bars of one symbol and timeframe. */
export const persistPriceBars = tool({
  name: 'persist_price_bars',
  title: 'Persist price bars',
  description:
    'Stores 1-10 000 OHLCV bars of one symbol and timeframe, and recomputes the ATR (14) and SMA (20) that depend on them. A bar is its interval (a slot from midnight UTC, a New York day, a week from Monday): the last one sent replaces the one before. A bad bar is in errors with its index and stops no other: stored + replaced + unchanged + rejected = bars sent. Then read catalyst://prices.',
  effect: 'write',
  idempotent: true,
  openWorld: false,
  input: priceBars,
  output: priceBarsAnswer,
  run: (input, { service, tx }) => service.persistBars(tx, input),
})
