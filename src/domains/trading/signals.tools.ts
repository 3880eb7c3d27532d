import { persistToolFor } from '../../mcp/define.js'
import { newSignal, signalAnswer, statusAnswer, statusChange } from './signals.schemas.js'
import type { SignalService } from './signals.service.js'

const tool = persistToolFor<SignalService>()

/** A signal with its evidence and its risk. */
export const persistTradingSignal = tool({
  name: 'persist_trading_signal',
  title: 'Persist a trading signal',
  description:
    'Stores a BUY, SELL or HOLD signal with what it rests on, and answers size, stop and targets by the limits of risk. Give entry price, ATR and equity in indicators: what is missing leaves nulls, named in missing. A BUY or SELL that fails a check is stored as rejected, with reasons: do not trade it. Against the open position of its symbol it is an exit, which nothing is checked for. A pending entry counts in the limits of its account, and a second in its symbol is rejected, until it is filled, cancelled or past expires_at. Report fills with persist_trade_execution, else use update_signal_status.',
  effect: 'write',
  idempotent: false,
  openWorld: false,
  input: newSignal,
  output: signalAnswer,
  run: (signal, { service, tx }) => service.persistSignal(tx, signal),
})

/** What became of a signal. */
export const updateSignalStatus = tool({
  name: 'update_signal_status',
  title: 'Update the status of a signal',
  description:
    'Says what became of a pending signal: executed, cancelled, expired, or rejected (with a reason). All of them are final. One that is past expires_at counts as expired, but may still be marked executed, as a fill is a fact. The status it has already is answered with changed: false. Find signals in the resource signals.',
  effect: 'write',
  idempotent: true,
  openWorld: false,
  input: statusChange,
  output: statusAnswer,
  run: (change, { service, tx }) => service.updateStatus(tx, change),
})
