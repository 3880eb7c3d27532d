import type { Config } from '../config.js'
import { AppError } from '../errors.js'
import { Interrupted } from './exit.js'
import { watchSignals } from './signals.js'
import { type Env, readConfig } from './start.js'
import { tell } from './terminal.js'

/** How a command about backups is stopped, and where its progress goes. */
export interface BackupCall {
  readonly signal: AbortSignal
  progress(done: number, total: number, message: string): void
}

/**
 * Runs a command until it is done or a signal stops it; what it has opened it closes either way.
 *
 * @throws Interrupted when a signal stopped it
 */
export async function stoppable(
  env: Env,
  work: (config: Config, call: BackupCall) => Promise<number>,
): Promise<number> {
  const signals = watchSignals()
  const config = readConfig(env)
  signals.hold()
  const stop = new AbortController()
  void signals.received.then(() => stop.abort(new AppError('cancelled', 'Interrupted.')))
  const bar = new ProgressBar()
  try {
    const call = { signal: stop.signal, progress: bar.show.bind(bar) }
    const exitCode = await work(config, call)
    return signals.exitCode ?? exitCode
  } catch (error) {
    if (signals.exitCode === null) throw error
    throw new Interrupted(signals.exitCode)
  } finally {
    bar.end()
  }
}

const WIDTH = 24
/** A log is told so often at most. */
const EVERY_MS = 30_000

/** One line on a terminal that is written over; elsewhere a line from time to time. */
class ProgressBar {
  readonly #isTerminal = process.stderr.isTTY === true
  #toldAt = performance.now()

  show(done: number, total: number, message: string): void {
    const share = total > 0 ? Math.min(done / total, 1) : 0
    const percent = `${Math.floor(share * 100)} %`.padStart(5)
    if (this.#isTerminal) {
      const filled = '#'.repeat(Math.round(share * WIDTH)).padEnd(WIDTH, '.')
      process.stderr.write(`\r\u001b[K[${filled}] ${percent}  ${message}`)
    } else if (performance.now() - this.#toldAt > EVERY_MS) {
      this.#toldAt = performance.now()
      tell(`${percent.trim()}  ${message}\n`)
    }
  }

  end(): void {
    if (this.#isTerminal) process.stderr.write('\r\u001b[K')
  }
}
