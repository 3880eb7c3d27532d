import { type App, checkToolsets, openApp } from '../app.js'
import { type Config, loadConfig } from '../config.js'
import { AppError } from '../errors.js'
import { VERSION } from '../lib/version.js'
import { createLog, type Log } from '../platform/log.js'
import { checkUrls } from '../systems.js'
import { ConfigurationError, EXIT, Interrupted } from './exit.js'
import { watchSignals } from './signals.js'

/** A process environment. */
export type Env = Readonly<Record<string, string | undefined>>

/** The settings, or the end of the process with every problem named. */
export function readConfig(env: Env): Config {
  try {
    const config = loadConfig(env)
    checkUrls(config)
    const problem = checkToolsets(config)
    if (problem) throw new ConfigurationError(`CATALYST_TOOLSETS: ${problem}`)
    return config
  } catch (error) {
    if (error instanceof AppError) throw new ConfigurationError(`${error.message}\n${error.hint}`)
    throw error
  }
}

/** What a long-running command works with. */
export interface Running {
  readonly config: Config
  readonly log: Log
  readonly app: App
  /** Resolves with the exit code once a signal asks the process to end. */
  readonly interrupted: Promise<number>
}

/**
 * Starts the application for a long-running command.
 *
 * @throws Interrupted when a signal came before it had started; what it had started is stopped then
 */
export async function start(env: Env): Promise<Running> {
  const config = readConfig(env)
  const log = createLog(config.LOG_LEVEL)
  watchForCrashes(log)
  const signals = watchSignals()
  signals.hold()
  try {
    const app = await openApp(config, log)
    if (signals.exitCode === null) return { config, log, app, interrupted: signals.received }
    await app.close()
  } catch (error) {
    // Ctrl-C reaches the children as well, and what they say then is no news.
    if (signals.exitCode === null) throw error
  }
  throw new Interrupted(signals.exitCode)
}

/** The start lines: what runs, and where. */
export function banner(app: App, endpoint: string): string {
  const lines = [...app.description, { part: 'MCP', where: endpoint }]
  const width = Math.max(...lines.map(({ part }) => part.length))
  const rows = lines.map(({ part, where }) => `  ${part.padEnd(width)}  ${where}`)
  const { state, reason } = app.schema.state
  const schema = state === 'current' ? [] : [`  The schema is not current: ${reason}`]
  return [`catalyst-db ${VERSION}`, ...rows, ...schema, ''].join('\n')
}

/** A defect ends the process instead of leaving it half alive; the embedded services outlive it. */
function watchForCrashes(log: Log): void {
  const crash = (error: unknown): void => {
    log.fatal({ err: error }, 'unexpected failure, the server ends')
    process.exit(EXIT.failure)
  }
  process.on('uncaughtException', crash)
  process.on('unhandledRejection', crash)
}
