import { AppError } from '../../errors.js'
import type { TradeExecution } from './trades.schemas.js'
import type { SurroundingsRow } from './trades.sql.js'

/** Nobody should have traded on a signal that is one of these. */
const UNTRADED = ['rejected', 'cancelled', 'expired']
/** The side on which a signal is acted upon. */
const SIDE_OF: Readonly<Record<string, string>> = { BUY: 'buy', SELL: 'sell' }

/** Whether the fill does what its signal says. */
export const isActedUpon = ({ signal_type }: SurroundingsRow, { side }: TradeExecution): boolean =>
  SIDE_OF[signal_type ?? ''] === side

/**
 * Refuses a fill that refers to what is not there.
 *
 * @throws AppError `not_found`, or `invalid_input` for the signal of another symbol
 */
export function refuseUnknown(
  { signal_id, catalyst_tracking: tracking }: TradeExecution,
  around: SurroundingsRow,
  securityId: number,
): void {
  if (signal_id !== undefined && around.signal_security_id === null) {
    throw new AppError('not_found', 'signal_id: there is no such signal', {
      hint: 'Nothing was stored. Read catalyst://signals, or leave signal_id out.',
    })
  }
  if (signal_id !== undefined && around.signal_security_id !== securityId) {
    throw new AppError('invalid_input', 'signal_id: the signal is about another symbol', {
      hint: 'Nothing was stored. Read catalyst://signals for those of this symbol.',
    })
  }
  if (tracking?.entry_news_id && !around.has_news) {
    throw new AppError('not_found', 'catalyst_tracking.entry_news_id: there is no such story', {
      hint: 'Nothing was stored. Persist the story first, or leave entry_news_id out.',
    })
  }
}

/** What is odd about a fill; an exit may well name the signal of its entry, which says the other side. */
export function warningsOf(
  fill: TradeExecution,
  around: SurroundingsRow,
  { is_late, opens }: { readonly is_late: boolean; readonly opens: boolean },
): string[] {
  const warnings: string[] = []
  const { signal_status, signal_type } = around
  if (fill.signal_id !== undefined && opens && !isActedUpon(around, fill)) {
    warnings.push(`signal_id: the signal says ${signal_type}, the fill is a ${fill.side}`)
  }
  if (opens && signal_status !== null && UNTRADED.includes(signal_status)) {
    warnings.push(`signal_id: the signal is ${signal_status}; the fill is stored as a fact`)
  }
  if (is_late) {
    warnings.push('fill_time: earlier than that of a fill recorded before; applied after it')
  }
  return warnings
}
