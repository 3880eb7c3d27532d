import { AppError } from '../../errors.js'
import type { StatusChange } from './signals.schemas.js'
import type { NewStatus, StatusRow } from './signals.sql.js'

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
