import { persistToolFor } from '../../mcp/define.js'
import { tradeAnswer, tradeExecution } from './trades.schemas.js'
import type { TradeService } from './trades.service.js'

const tool = persistToolFor<TradeService>()

/** One fill, with what it does to the position. */
export const persistTradeExecution = tool({
  name: 'persist_trade_execution',
  title: 'Persist a fill',
  description:
    'Records one fill that has happened (no order is placed) and applies it to the position of its account and symbol: opens, adds, closes or reverses it. Send every partial fill on its own; an exit is a fill on the other side. With execution_id a fill sent again changes nothing. Numbers are exact: send text where JSON could lose digits. A pending signal_id of the same account and side becomes executed, unless it had expired at fill_time. Then read catalyst://positions.',
  effect: 'write',
  idempotent: false,
  openWorld: true,
  input: tradeExecution,
  output: tradeAnswer,
  run: (execution, { service, tx }) => service.persistTrade(tx, execution),
})
