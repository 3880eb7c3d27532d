import { Backoff } from '../../lib/backoff.js'
import type { Clock } from '../../lib/clock.js'
import type { Log } from '../../platform/log.js'
import type { Partitions } from './partitions.js'

interface PartitionKeeperDeps {
  readonly partitions: Pick<Partitions, 'ensureAhead'>
  readonly clock: Clock
  readonly log: Log
  /** False until the tables are there. */
  readonly isReady: () => boolean
}

/** Beside the current month; a server that stays away for weeks still leaves room for the first bars. */
const MONTHS_AHEAD = 2
const CHECK_MS = 12 * 60 * 60 * 1_000

/** Makes the partitions of the coming months before anybody needs them. */
export class PartitionKeeper {
  readonly #deps: PartitionKeeperDeps
  readonly #backoff = new Backoff({ firstMs: 1_000, maxMs: 60_000 })
  #timer: NodeJS.Timeout | null = null
  #running: Promise<void> = Promise.resolve()
  #isStopped = false
  #isFailing = false

  constructor(deps: PartitionKeeperDeps) {
    this.#deps = deps
  }

  /** Begins to look, now and every twelve hours, sooner after a failure. */
  start(): void {
    this.#running = this.#check()
  }

  /** Ends; a look that is under way is waited for. */
  async stop(): Promise<void> {
    this.#isStopped = true
    if (this.#timer) clearTimeout(this.#timer)
    await this.#running
  }

  async #check(): Promise<void> {
    const waitMs = (await this.#ensure()) ? CHECK_MS : this.#backoff.next()
    if (!this.#isStopped) this.#timer = setTimeout(() => this.start(), waitMs).unref()
  }

  async #ensure(): Promise<boolean> {
    const { partitions, clock, log, isReady } = this.#deps
    if (!isReady()) return false
    try {
      const created = await partitions.ensureAhead(monthsFrom(clock.now()))
      if (created > 0) log.info({ partitions: created }, 'partitions of the coming months are made')
      this.#backoff.reset()
      this.#isFailing = false
      return true
    } catch (error) {
      const level = this.#isFailing ? 'debug' : 'error'
      log[level]({ err: error }, 'the partitions of the coming months cannot be made, trying again')
      this.#isFailing = true
      return false
    }
  }
}

/** The first instants of this month and those to come. */
const monthsFrom = (now: Date): string[] =>
  Array.from({ length: MONTHS_AHEAD + 1 }, (_, ahead) =>
    new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + ahead)).toISOString(),
  )
