import type { Attempts } from '../../lib/outage.js'
import type { SharedOutage } from '../../lib/shared-outage.js'
import type { Trouble } from '../../lib/tls-trouble.js'
import type { Log } from '../../platform/log.js'
import { DISK_FULL } from '../../platform/postgres/connection-trouble.js'
import type { Database } from '../../platform/postgres/database.js'
import { isDiskFull } from '../../platform/postgres/room.js'

/** What the watch tries, and where it tells. */
export interface DiskWatchDeps {
  /** Whether PostgreSQL finds space for something new; null when that cannot be tried. */
  readonly hasRoom: () => Promise<boolean | null>
  readonly database: Pick<Database, 'transaction'>
  readonly log: Log
  readonly outage: SharedOutage
  /** Called after a commit that left events in the outbox. */
  readonly committed: () => void
}

const RETRY_MS = 5_000

/**
 * Remembers that a write found no space until one does again. That is tried by itself: who reads
 * that nothing can be written will send no write to find out.
 */
export class DiskWatch {
  readonly #deps: DiskWatchDeps
  readonly #outage: Attempts
  #isFull = false
  /** The event about it is still to be written, which a full disk may prevent. */
  #isUntold = false
  #timer: NodeJS.Timeout | null = null
  #trying: Promise<void> | null = null
  #isStopped = false

  constructor(deps: DiskWatchDeps) {
    this.#deps = deps
    this.#outage = deps.outage.of('writing')
  }

  /** Hears why a transaction failed. */
  failed(error: unknown): void {
    if (!isDiskFull(error) || this.#isStopped) return
    this.#outage.failed(error)
    if (this.#isFull) return
    this.#isFull = true
    this.#isUntold = true
    this.#later()
  }

  /** Hears that something was written. */
  wrote(): void {
    if (this.#isFull) void this.#try(true)
  }

  /** What is wrong now; tried anew while something was wrong. */
  async look(): Promise<Trouble | null> {
    if (this.#isFull) await this.#try(false)
    return this.#isFull ? DISK_FULL : null
  }

  /** Ends; an attempt that is under way is waited for. */
  async stop(): Promise<void> {
    this.#isStopped = true
    if (this.#timer) clearTimeout(this.#timer)
    await this.#trying
  }

  #later(): void {
    if (this.#isStopped) return
    this.#timer = setTimeout(() => {
      void this.#try(false).finally(() => {
        if (this.#isFull) this.#later()
      })
    }, RETRY_MS).unref()
  }

  #try(hasWritten: boolean): Promise<void> {
    this.#trying ??= this.#attempt(hasWritten).finally(() => {
      this.#trying = null
    })
    return this.#trying
  }

  /** A small row may fit where a table cannot grow, so a write alone proves nothing if more can be tried. */
  async #attempt(hasWritten: boolean): Promise<void> {
    const hasRoom = await this.#deps.hasRoom()
    await this.#tell()
    if (!(hasRoom ?? hasWritten)) return
    this.#isFull = false
    if (this.#timer) clearTimeout(this.#timer)
    this.#outage.over()
  }

  async #tell(): Promise<void> {
    if (!this.#isUntold || this.#isStopped) return
    try {
      this.#isUntold = false
      const data = { code: 'disk_full', message: DISK_FULL.cause, session_id: null }
      await this.#deps.database.transaction((tx) => tx.emit('db.error', data))
      this.#deps.committed()
    } catch (error) {
      this.#isUntold = true
      this.#deps.log.debug({ err: error }, 'a full disk could not be told of yet')
    }
  }
}
