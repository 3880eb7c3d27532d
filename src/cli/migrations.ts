import { openMigrations } from '../app.js'
import { AppError } from '../errors.js'
import { createLog } from '../platform/log.js'
import { Interrupted } from './exit.js'
import { ProgressLines } from './progress.js'
import { type Env, readConfig, watchSignals } from './start.js'

/** What may be asked of migrations. */
export type Operations = Awaited<ReturnType<typeof openMigrations>>['operations']

/** Who runs migrations, how they are stopped, and where their progress goes. */
export type Call = Parameters<Operations['up']>[1]

/**
 * Opens the database, works, closes, and answers the exit code of the work.
 *
 * @throws Interrupted when a signal stopped the work
 */
export async function withMigrations(
  env: Env,
  work: (operations: Operations, call: Call, progress: ProgressLines) => Promise<number>,
): Promise<number> {
  const { operations, close } = await openMigrations(readConfig(env), createLog('silent'))
  const signals = watchSignals()
  const stop = new AbortController()
  void signals.received.then(() => stop.abort(interrupted()))
  const progress = new ProgressLines()
  try {
    const call: Call = {
      principal: 'cli',
      requestId: null,
      confirmedPlan: null,
      signal: stop.signal,
      progress: (done, total, message) => progress.finished(`[${done}/${total}] ${message}`),
    }
    return await work(operations, call, progress)
  } catch (error) {
    throw signals.exitCode === null ? error : new Interrupted(signals.exitCode, error)
  } finally {
    progress.end()
    await close()
  }
}

const interrupted = (): AppError =>
  new AppError('cancelled', 'Interrupted.', {
    hint: 'What was finished until then stays; see "catalyst-db migrate status".',
  })
