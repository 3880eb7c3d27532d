import { AppError } from '../../errors.js'
import type { StatusChange } from './signals.schemas.js'
import type { DetailedSignal, NewStatus, StatusRow } from './signals.sql.js'

/** A rejection has reasons; those of a client stay in its own field. */
const BY_CLIENT = 'status: rejected by a client, whose words are in status_reason'

/**
 * The status that a signal may take on.
 *
 * @throws AppError `precondition_failed` when it has a final one, `invalid_input` without a reason
 */
export function changeOf(change: StatusChange, current: StatusRow): NewStatus {
  const { signal_id, status, reason = null } = change
  if (status === 'rejected' && reason === null) {
    throw new AppError('invalid_input', 'reason: is required with status rejected')
  }
  // A fill is a fact, however late it was reported.
  const isOpen =
    current.stored === 'pending' && (current.status === 'pending' || status === 'executed')
  if (!isOpen) {
    throw new AppError('precondition_failed', `The signal is ${current.status}, which is final.`, {
      hint: 'Nothing was changed. Persist a new signal instead.',
    })
  }
  return { signal_id, status, reason, reasons: status === 'rejected' ? [BY_CLIENT] : [] }
}

/** Why a signal has the status it has, in words. */
export function reasonsOf(signal: DetailedSignal): string[] {
  const { stored, status, status_reason, reasons, fills, filled_quantity, shares, expires_at } =
    signal
  if (status === 'rejected') return [...reasons]
  if (status === 'pending') return [`waits for a fill of its account until ${expires_at}`]
  if (status === 'executed' && fills > 0) {
    const size = shares === null ? '' : ` of ${shares}`
    return [`executed by ${fills} fills of its account: ${filled_quantity}${size} shares`]
  }
  if (stored !== status) return [`not traded before ${expires_at}`]
  return [`set by a client${status_reason === null ? '' : ', whose words are in status_reason'}`]
}
