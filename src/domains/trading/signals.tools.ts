import { persistToolFor } from '../../mcp/define.js'
import { newSignal, signalAnswer, statusAnswer, statusChange } from './signals.schemas.js'
import type { SignalService } from './signals.service.js'

const tool = persistToolFor<SignalService>()

/** A signal with its evidence and its risk. */
export const persistTradingSignal = tool({
  name: 'persist_trading_signal',
  title: 'Persist a trading signal',
  description:
    "Stores a BUY, SELL or HOLD signal with what it rests on, and answers size, stop and targets by the limits of risk. Give entry price, ATR and equity in indicators: what is missing leaves nulls, named in missing. One that fails a check is stored as rejected, with reasons: do not trade it. Against the open position of its symbol it is an unchecked exit. A pending entry counts in its account's limits; a second in its symbol is rejected. Report fills with persist_trade_execution, else update_signal_status.",
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
    'Says what became of a pending signal, for good: executed, cancelled, expired, or rejected (with a reason). Past expires_at it counts as expired, but may still be marked executed. The status it has already is answered with changed: false. Find signals in the resource signals.',
  effect: 'write',
  idempotent: true,
  openWorld: false,
  input: statusChange,
  output: statusAnswer,
  run: (change, { service, tx }) => service.updateStatus(tx, change),
})
