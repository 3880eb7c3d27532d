import { AppError } from '../../errors.js'

const START_AGAIN = 'Start a new session with start_db_session and repeat the work.'
const ROLLED_BACK = 'the work was rolled back as far as it had not been committed'

/** As many of something as the server allows; later there will be room again. */
export const tooMany = (what: string): AppError =>
  new AppError('rate_limited', `As many ${what} as this server allows.`, {
    hint: 'End a session with end_db_session, or send the same call again in a few seconds.',
  })

/** One caller's share of the sessions. */
export const tooManyOwn = (count: number): AppError =>
  new AppError('rate_limited', `You have ${count} sessions open, as many as one caller may.`, {
    hint: 'End those you no longer need with end_db_session; catalyst://db/sessions/active lists them.',
  })

/** Half of the pool stays for calls without a session. */
export const allHeld = (): AppError => tooMany('sessions hold open transactions')

/** Nobody knows the handle that was to be given out. */
export const notStarted = (cause: unknown): AppError =>
  new AppError('unavailable', 'The session could not be started.', {
    hint: 'Send the same call again; read catalyst://db/status to see whether the database is back.',
    cause,
  })

/** Also what the owner of somebody else's handle is told: nothing. */
export const unknownSession = (): AppError =>
  new AppError('not_found', 'There is no such session.', {
    hint: 'Start one with start_db_session; read catalyst://db/sessions/active for yours.',
  })

/** The session ended as its owner wished. */
export const hasEnded = (): AppError =>
  new AppError('not_found', 'The session has ended.', {
    hint: 'Start a new one with start_db_session.',
  })

/** The session passed its idle or absolute limit. */
export const expired = (): AppError =>
  new AppError('session_expired', `The session passed its time limit; ${ROLLED_BACK}.`, {
    hint: START_AGAIN,
  })

/** The session's connection or its server is gone. */
export const lost = (cause: unknown = null): AppError =>
  new AppError('session_lost', `The session lost its connection; ${ROLLED_BACK}.`, {
    hint: START_AGAIN,
    cause,
  })

/** The server that holds the session ends. */
export const shuttingDown = (): AppError =>
  new AppError('session_lost', `The server is shutting down; ${ROLLED_BACK}.`, {
    hint: 'Start a new session when the server is back, and repeat the work.',
  })

/** A commit of the session went unanswered, and the database could not be asked about it either. */
export const unknown = (keyed: boolean, cause: unknown = null): AppError =>
  new AppError('outcome_unknown', 'Whether the last commit of this session was kept is unknown.', {
    hint: keyed
      ? 'Do not repeat the work. Send this same call again with its idempotency_key: it answers what it answered first if it was committed, and says so if it was not.'
      : 'Do not repeat the work before you have read whether it is there. A commit with an idempotency_key can be sent again: it answers whether it was committed.',
    retryable: keyed,
    cause,
  })

/** What is found out when a commit of unknown outcome is sent again by a key that nothing was stored under. */
export const notCommitted = (): AppError =>
  new AppError('session_lost', 'No call with this idempotency_key was committed.', {
    hint: `If the commit whose answer was lost had this key, the work was rolled back. ${START_AGAIN}`,
  })

/** A handle that some other process gave out. */
export const heldElsewhere = (): AppError =>
  new AppError(
    'session_lost',
    `This server does not hold the session: it was started on another server, or before a restart; then ${ROLLED_BACK}.`,
    {
      hint: 'Use the server it was started on, or start a new session and repeat the work. A commit that went unanswered can be sent again with its idempotency_key: it answers whether it was committed.',
    },
  )

/** A write in a session that was started for reading. */
export const readOnly = (): AppError =>
  new AppError('precondition_failed', 'The session is read-only.', {
    hint: 'Start a session without read_only to write.',
  })

/** A serialization failure: PostgreSQL lets nothing of the transaction stand. */
export const wholeTransactionFailed = (cause: unknown): AppError =>
  new AppError(
    'conflict',
    'Another transaction changed the same rows first; this one was rolled back.',
    {
      hint: 'Repeat all operations of the transaction in the same session.',
      retryable: true,
      cause,
    },
  )

/** The same failure, saying which operation it was. */
export function atIndex(index: number, error: unknown): AppError {
  if (!(error instanceof AppError)) {
    return new AppError('internal_error', `operations[${index}] failed unexpectedly.`, {
      cause: error,
    })
  }
  const hint = `The whole transaction was rolled back; the session is still usable. ${error.hint ?? ''}`
  return new AppError(error.code, `operations[${index}]: ${error.message}`, {
    hint: hint.trim(),
    retryable: error.retryable,
    cause: error,
  })
}
