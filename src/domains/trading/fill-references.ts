import { AppError } from '../../errors.js'
import { decimal, plain } from '../../lib/decimal.js'
import type { TradeExecution } from './trades.schemas.js'
import type { SurroundingsRow } from './trades.sql.js'

/** Nobody should have traded on a signal that is one of these. */
const UNTRADED = ['rejected', 'cancelled', 'expired']
/** The side on which a signal is acted upon. */
const SIDE_OF: Readonly<Record<string, string>> = { BUY: 'buy', SELL: 'sell' }

/** Whether the fill does what its signal says. */
const isOnItsSide = ({ signal_type }: SurroundingsRow, { side }: TradeExecution): boolean =>
  SIDE_OF[signal_type ?? ''] === side

const isOfItsAccount = (around: SurroundingsRow, { account_id }: TradeExecution): boolean =>
  around.signal_account_id === account_id

/** Whether the fill executes its signal: of the signal's account, on its side, before it expired. */
export const isActedUpon = (around: SurroundingsRow, fill: TradeExecution): boolean =>
  around.signal_status === 'pending' && isOfItsAccount(around, fill) && isOnItsSide(around, fill)

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
  { opens }: { readonly opens: boolean },
): string[] {
  const warnings = fill.signal_id === undefined ? [] : signalWarnings(fill, around, opens)
  if (around.is_late) {
    warnings.push('fill_time: earlier than that of a fill recorded before; applied after it')
  }
  return warnings
}

function signalWarnings(fill: TradeExecution, around: SurroundingsRow, opens: boolean): string[] {
  if (!isOfItsAccount(around, fill)) {
    return ['signal_id: the signal is of another account, whose fills alone execute it']
  }
  const { signal_status, signal_type } = around
  const warnings: string[] = []
  if (opens && !isOnItsSide(around, fill)) {
    warnings.push(`signal_id: the signal says ${signal_type}, the fill is a ${fill.side}`)
  }
  const isUntraded = signal_status !== null && UNTRADED.includes(signal_status)
  if (opens && isUntraded) {
    const when = signal_status === 'expired' ? 'had expired at fill_time' : `is ${signal_status}`
    warnings.push(`signal_id: the signal ${when}; the fill is stored as a fact`)
  }
  return isUntraded ? warnings : [...warnings, ...sizeWarning(fill, around)]
}

function sizeWarning(fill: TradeExecution, around: SurroundingsRow): string[] {
  const { signal_shares, signal_filled } = around
  if (signal_shares === null || !isOnItsSide(around, fill)) return []
  const filled = decimal(signal_filled).plus(fill.quantity)
  return filled.lte(signal_shares)
    ? []
    : [
        `signal_id: its fills add up to ${plain(filled)} shares, more than its ${plain(decimal(signal_shares))}`,
      ]
}
