import { setTimeout as delay } from 'node:timers/promises'
import { Backoff } from './backoff.js'
import type { Attempts } from './outage.js'
import { WakeUp } from './wake-up.js'

interface LoopOptions {
  /** Rest between two rounds, in milliseconds. */
  readonly everyMs: number | (() => number)
  /** Growing waits after a failure, in milliseconds; at most a second unless said otherwise. */
  readonly retry?: { readonly firstMs: number; readonly maxMs: number }
  /** Hears how its rounds end. */
  readonly outage: Attempts
  /** One round; what it throws is told once per outage, and tried again. */
  readonly work: (signal: AbortSignal) => Promise<void>
}

/** Work in the background that goes on until it is stopped, whatever fails. */
export class Loop {
  readonly #options: LoopOptions
  readonly #backoff: Backoff
  readonly #stopped = new AbortController()
  readonly #wakeUp = new WakeUp()
  #trouble: unknown = null
  #running: Promise<void> = Promise.resolve()

  constructor(options: LoopOptions) {
    this.#options = options
    this.#backoff = new Backoff(options.retry ?? { firstMs: 100, maxMs: 1_000 })
  }

  /** Why the last round failed; null when it went well. */
  get trouble(): unknown {
    return this.#trouble
  }

  /** It was told to end. */
  get isStopped(): boolean {
    return this.#stopped.signal.aborted
  }

  /** Begins with a round at once. */
  start(): void {
    this.#running = this.#run()
  }

  /** Ends the rest between two rounds; during a round the next one follows at once. */
  wake(): void {
    this.#wakeUp.call()
  }

  /** Ends; a round that is under way is waited for. */
  async stop(): Promise<void> {
    this.#stopped.abort()
    this.wake()
    await this.#running
  }

  async #run(): Promise<void> {
    const { everyMs } = this.#options
    while (!this.isStopped) {
      this.#wakeUp.answer()
      if (await this.#round()) {
        if (this.isStopped) return
        await this.#wakeUp.rest(typeof everyMs === 'number' ? everyMs : everyMs())
      } else {
        const { signal } = this.#stopped
        await delay(this.#backoff.next(), undefined, { signal }).catch(() => {})
      }
    }
  }

  async #round(): Promise<boolean> {
    const { signal } = this.#stopped
    try {
      await this.#options.work(signal)
      this.#trouble = null
      this.#backoff.reset()
      this.#options.outage.over()
      return true
    } catch (error) {
      this.#trouble = error
      // What fails because it was told to end is no outage.
      if (!signal.aborted) this.#options.outage.failed(error)
      return false
    }
  }
}
