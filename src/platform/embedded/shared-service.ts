import { AppError } from '../../errors.js'
import type { LogFile } from './log-file.js'
import type { ServiceName } from './membership.js'
import { isStillRunning, type ProcessIdentity } from './process-identity.js'

/** How a service is found or started, and stopped. All of it happens under the transition lock. */
export interface Keeper<Running> {
  readonly log: LogFile
  /** Null when it does not run and there is no program to start. */
  ensure(abort?: AbortSignal): Promise<Running | null>
  stop(): Promise<void>
}

/** One service as this server last saw it. */
export class SharedService<Running extends { readonly process: ProcessIdentity }> {
  readonly name: ServiceName
  readonly #keeper: Keeper<Running>
  #running: Running | null = null

  constructor(name: ServiceName, keeper: Keeper<Running>) {
    this.name = name
    this.#keeper = keeper
  }

  /** Null before it was found or started. */
  get running(): Running | null {
    return this.#running
  }

  /** Finds or starts it. */
  async ensure(): Promise<Running | null> {
    this.#running = await this.#keeper.ensure()
    return this.#running
  }

  /** Finds or starts what has run before. */
  async restore(abort: AbortSignal): Promise<void> {
    const found = await this.#keeper.ensure(abort)
    if (!found) throw new AppError('unavailable', `There is no program to start ${this.name} with.`)
    this.#running = found
  }

  /** Whether the process last seen still runs. */
  isAlive(): boolean {
    return this.#running !== null && isStillRunning(this.#running.process)
  }

  /** Ends it for every server. */
  stop(): Promise<void> {
    return this.#keeper.stop()
  }

  /** Keeps its log small while it runs. */
  rotateLog(): void {
    this.#keeper.log.rotate()
  }
}
