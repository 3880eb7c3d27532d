import { EXIT } from './exit.js'
import { tell } from './terminal.js'

/**
 * The signals that ask this process to end, watched from before anything is opened. Whoever opens what has to be
 * closed again holds them first; while nobody does, the first one ends the process. The second never waits.
 */
class Signals {
  #exitCode: number | null = null
  #isHeld = false
  /** Resolves with the exit code of the first one. */
  readonly received: Promise<number>

  constructor() {
    this.received = new Promise((resolve) => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) {
        process.on(signal, () => {
          const isFirst = this.#exitCode === null
          this.#exitCode ??= EXIT[signal]
          if (isFirst && this.#isHeld) return resolve(this.#exitCode)
          if (isFirst) tell('catalyst-db: Interrupted.\n')
          process.exit(EXIT[signal])
        })
      }
    })
  }

  /** Of the first one; null before it. */
  get exitCode(): number | null {
    return this.#exitCode
  }

  /** From now on the command itself ends after a signal, once it has closed what it opened. */
  hold(): void {
    this.#isHeld = true
  }
}

let watched: Signals | undefined

/** Watches from the first call on. */
export function watchSignals(): Signals {
  watched ??= new Signals()
  return watched
}
