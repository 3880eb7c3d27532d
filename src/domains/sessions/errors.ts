import { AppError } from '../../errors.js'

const START_AGAIN = 'Start a new session with start_db_session and repeat the work.'

/** As many of something as the server allows; later there will be room again. */
export const tooMany = (what: string): AppError =>
  new AppError('rate_limited', `As many ${what} as this server allows.`, {
    hint: 'End a session with end_db_session, or send the same call again in a few seconds.',
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
  new AppError('session_expired', 'The session passed its time limit; the work was rolled back.', {
    hint: START_AGAIN,
  })

/** The session's connection or its server is gone. */
export const lost = (cause: unknown = null): AppError =>
  new AppError('session_lost', 'The session lost its connection; the work was rolled back.', {
    hint: START_AGAIN,
    cause,
  })

/** A handle that some other process gave out. */
export const heldElsewhere = (): AppError =>
  new AppError(
    'session_lost',
    'This server does not hold the session: it was started on another server, or before a restart, which rolled the work back.',
    {
      hint: 'Use the server it was started on, or start a new session and repeat the work.',
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
