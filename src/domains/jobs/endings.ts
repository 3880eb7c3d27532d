import { AppError, toErrorBody } from '../../errors.js'
import type { JobRun } from './job-run.js'
import type { Ending } from './sql.js'

/** The owner asked the job to stop. */
export const cancelledError = (): AppError =>
  new AppError('cancelled', 'The job was cancelled.', {
    hint: 'What it had finished until then stays. Call the tool again to start a new job.',
  })

/** The server that runs the job is told to end. */
export const serverStopsError = (): AppError =>
  new AppError('unavailable', 'The server is shutting down and stopped the job.', {
    hint: 'The job cannot be taken up where it was. Call the tool again to start a new one.',
  })

/** The server that ran the job is gone without a word. */
export const serverLostError = (): AppError =>
  new AppError('unavailable', 'The server that ran the job died.', {
    hint: 'How far the job came is not known. Check its effect, then call the tool again to start a new one.',
    retryable: false,
  })

/** The database did not answer for so long that another server may have taken the job over. */
export const leaseLostError = (): AppError =>
  new AppError(
    'unavailable',
    'The server lost the database while it ran the job, and stopped it.',
    {
      hint: 'Call the tool again to start a new job.',
    },
  )

/** What a run that answered came to: it has done its work, even if it was asked to stop meanwhile. */
export const succeeded = ({ progress }: JobRun, result: unknown): Ending => ({
  state: 'succeeded',
  progress,
  result: { ...Object(result) },
  error: null,
})

/** What a run that threw came to. */
export function ended(run: JobRun, error: unknown): Ending {
  const failed = (shown: unknown): Ending => ({
    state: 'failed',
    progress: run.progress,
    result: null,
    error: toErrorBody(shown, run.reference),
  })
  switch (run.stopKind) {
    case null:
      return failed(error)
    case 'cancelled':
      return { ...failed(cancelledError()), state: 'cancelled' }
    case 'server_stops':
      return handedOn(run) ?? failed(serverStopsError())
    case 'lease_lost':
      return handedOn(run) ?? failed(leaseLostError())
  }
}

const handedOn = ({ job }: JobRun): Ending | null =>
  job.on_restart === 'resume'
    ? { state: 'queued', progress: null, result: null, error: null }
    : null
