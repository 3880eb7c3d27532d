import { tell } from './terminal.js'

/** Short statements end before anybody wonders; a log keeps every line, a terminal shows the last one only. */
const EVERY_MS = { terminal: 1_000, log: 30_000 } as const

/** A line on standard error for each finished step of a long work, and for how long the next has been running. */
export class ProgressLines {
  #timer: NodeJS.Timeout | undefined
  readonly #isTerminal = process.stderr.isTTY === true
  readonly #everyMs = EVERY_MS[this.#isTerminal ? 'terminal' : 'log']

  /** Says what was finished; what follows it is timed from now on. */
  finished(step: string): void {
    this.end()
    tell(`${step}\n`)
    this.begin()
  }

  /** Times what begins now. */
  begin(): void {
    const begun = performance.now()
    const running = (): void => {
      const seconds = Math.round((performance.now() - begun) / 1_000)
      const line = `still running: ${seconds} s`
      if (this.#isTerminal) process.stderr.write(`\r\u001b[K${line}`)
      else tell(`${line}\n`)
      this.#timer = setTimeout(running, this.#everyMs).unref()
    }
    this.#timer = setTimeout(running, this.#everyMs).unref()
  }

  /** Nothing runs any more; a line that was being rewritten is taken away. */
  end(): void {
    if (this.#timer === undefined) return
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#isTerminal) process.stderr.write('\r\u001b[K')
  }
}
