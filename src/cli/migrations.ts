import { openMigrations } from '../app.js'
import { AppError } from '../errors.js'
import { createLog } from '../platform/log.js'
import { fail } from './exit.js'
import { type Env, readConfig, untilSignal } from './start.js'

/** What may be asked of migrations. */
export type Operations = Awaited<ReturnType<typeof openMigrations>>['operations']

/** Who runs migrations, how they are stopped, and where their progress goes. */
export type Call = Parameters<Operations['up']>[1]

/** Opens the database, works, closes, and ends the process with the exit code of the work. */
export async function withMigrations(
  env: Env,
  work: (operations: Operations, call: Call) => Promise<number>,
): Promise<never> {
  const { operations, close } = await openMigrations(readConfig(env), createLog('silent'))
  const { call, signalled } = stoppable()
  try {
    const exitCode = await work(operations, call)
    await close()
    process.exit(exitCode)
  } catch (error) {
    await close()
    fail(error, signalled())
  }
}

function stoppable(): { call: Call; signalled: () => number | undefined } {
  const stop = new AbortController()
  let exitCode: number | undefined
  void untilSignal().then((code) => {
    exitCode = code
    stop.abort(interrupted())
  })
  const nobody = { principal: 'cli', requestId: null, confirmedPlan: null }
  return {
    call: { ...nobody, signal: stop.signal, progress: tell },
    signalled: () => exitCode,
  }
}

function tell(done: number, total: number, message: string): void {
  process.stderr.write(`[${done}/${total}] ${message}\n`)
}

const interrupted = (): AppError =>
  new AppError('cancelled', 'Interrupted.', {
    hint: 'What was finished until then stays; see "catalyst-db migrate status".',
  })
