import { openMigrations } from '../commands.js'
import { AppError } from '../errors.js'
import { createLog } from '../platform/log.js'
import { Interrupted } from './exit.js'
import { ProgressLines } from './progress.js'
import { watchSignals } from './signals.js'
import { type Env, readConfig } from './start.js'

/** What may be asked of migrations. */
export type Operations = Awaited<ReturnType<typeof openMigrations>>['operations']

/** Who runs migrations, how they are stopped, and where their progress goes. */
type Call = Parameters<Operations['up']>[1]

type Work = (operations: Operations, call: Call, progress: ProgressLines) => Promise<number>

/**
 * Opens the database, works, closes, and answers the exit code of the work. An embedded database that is not
 * there yet is made only where `database` says so.
 *
 * @throws AppError `unavailable` when there is none
 * @throws Interrupted when a signal stopped the work
 */
export async function withMigrations(
  env: Env,
  database: 'present' | 'made',
  work: Work,
): Promise<number> {
  const signals = watchSignals()
  const config = readConfig(env)
  signals.hold()
  const { operations, close } = await openMigrations(config, createLog('silent'), database).catch(
    (error: unknown) => {
      // Ctrl-C reaches the children as well, and what they say then is no news.
      throw signals.exitCode === null ? error : new Interrupted(signals.exitCode)
    },
  )
  const stop = new AbortController()
  void signals.received.then(() => stop.abort(interrupted()))
  const progress = new ProgressLines()
  try {
    if (signals.exitCode !== null) throw new Interrupted(signals.exitCode)
    const call: Call = {
      principal: 'cli',
      requestId: null,
      confirmedPlan: null,
      signal: stop.signal,
      progress: (done, total, message) => progress.finished(`[${done}/${total}] ${message}`),
    }
    const exitCode = await work(operations, call, progress)
    return signals.exitCode ?? exitCode
  } catch (error) {
    if (signals.exitCode === null || error instanceof Interrupted) throw error
    throw new Interrupted(signals.exitCode, error)
  } finally {
    progress.end()
    await close()
  }
}

const interrupted = (): AppError =>
  new AppError('cancelled', 'Interrupted.', {
    hint: 'What was finished until then stays; see "catalyst-db migrate status".',
  })
