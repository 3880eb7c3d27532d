import { setTimeout as delay } from 'node:timers/promises'
import { Backoff } from '../lib/backoff.js'
import type { Attempts } from '../lib/outage.js'
import type { SharedOutage } from '../lib/shared-outage.js'
import { WakeUp } from '../lib/wake-up.js'
import type { Ending } from './ending.js'

const SOON = { firstMs: 100, maxMs: 1_000 }

/** When rounds follow one another. */
interface Timing {
  /** Rest between two rounds, in milliseconds. */
  readonly everyMs: number | (() => number)
  /** How long calls are gathered before a round answers all of them, in milliseconds; at once unless said otherwise. */
  readonly gatherMs?: number
  /**
   * Growing waits after a failure of its own, in milliseconds; at most a second unless said otherwise, and
   * while a system is away that others work with as well: it is back for all of them at once.
   */
  readonly retry?: { readonly firstMs: number; readonly maxMs: number }
  /** What the first round waits for. */
  readonly after?: Promise<unknown>
}

/**
 * One round; what it throws is told once per outage, and tried again. A round that goes on for as long as
 * nothing fails says in between that it works.
 */
type Work = (signal: AbortSignal, works: () => void) => unknown

/** Work in the background that goes on until it is stopped, whatever fails. */
class Loop {
  /** The subject of the line that tells of an outage, such as "the job queue". */
  readonly name: string
  readonly #timing: Timing
  readonly #work: Work
  readonly #outage: Attempts
  readonly #ownBackoff: Backoff
  readonly #sharedBackoff = new Backoff(SOON)
  readonly #stopped = new AbortController()
  readonly #wakeUp = new WakeUp()
  #trouble: unknown = null
  #failingSince: Date | null = null
  #succeededAt: Date | null = null
  #running: Promise<void> = Promise.resolve()

  constructor(name: string, timing: Timing, work: Work, outage: Attempts) {
    this.name = name
    this.#timing = timing
    this.#work = work
    this.#outage = outage
    this.#ownBackoff = new Backoff(timing.retry ?? SOON)
  }

  /** Why the last round failed; null when it went well. */
  get trouble(): unknown {
    return this.#trouble
  }

  /** Since when rounds fail; null while they go well. */
  get failingSince(): Date | null {
    return this.#failingSince
  }

  /** When a round went well last; null before the first one. */
  get succeededAt(): Date | null {
    return this.#succeededAt
  }

  /** It was told to end. */
  get isStopped(): boolean {
    return this.#stopped.signal.aborted
  }

  /** Begins with a round at once, or after what it waits for. */
  start(): void {
    const { after } = this.#timing
    if (after) void after.then(() => this.#start())
    else this.#start()
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

  #start(): void {
    this.#running = this.#run()
  }

  async #run(): Promise<void> {
    const { everyMs, gatherMs = 0 } = this.#timing
    while (!this.isStopped) {
      if (gatherMs > 0) await this.#delay(gatherMs)
      this.#wakeUp.answer()
      const backoff = await this.#round()
      if (backoff) await this.#delay(backoff.next())
      else if (this.isStopped) return
      else await this.#wakeUp.rest(typeof everyMs === 'number' ? everyMs : everyMs())
    }
  }

  #delay(ms: number): Promise<void> {
    return delay(ms, undefined, { signal: this.#stopped.signal }).catch(() => {})
  }

  #works(): void {
    this.#trouble = null
    this.#failingSince = null
    this.#succeededAt = new Date()
    this.#ownBackoff.reset()
    this.#sharedBackoff.reset()
    this.#outage.over()
  }

  /** What to wait for before the next attempt; null when it went well. */
  async #round(): Promise<Backoff | null> {
    const { signal } = this.#stopped
    try {
      await this.#work(signal, () => this.#works())
      this.#works()
      return null
    } catch (error) {
      this.#trouble = error
      this.#failingSince ??= new Date()
      // What fails because it was told to end is no outage.
      const isShared = !signal.aborted && this.#outage.failed(error)
      return isShared ? this.#sharedBackoff : this.#ownBackoff
    }
  }
}

export type { Loop }

/** Runs all work in the background. */
export class Loops {
  readonly #outage: SharedOutage
  readonly #ending: Ending
  readonly #all: Loop[] = []

  constructor(outage: SharedOutage, ending: Ending) {
    this.#outage = outage
    this.#ending = ending
  }

  /** Every loop there is, for those who want to know how it goes. */
  get all(): readonly Loop[] {
    return this.#all
  }

  /** Adds work that is to be done again and again, from `begin` until the end of its part. */
  every(name: string, timing: Timing, work: Work): Loop {
    const loop = new Loop(name, timing, work, this.#outage.of(name))
    this.#all.push(loop)
    this.#ending.add(() => loop.stop())
    return loop
  }

  /** Begins with everything that was added. */
  begin(): void {
    for (const loop of this.#all) loop.start()
  }
}
