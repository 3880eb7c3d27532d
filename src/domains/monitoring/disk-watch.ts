import type { Loops } from '../../kernel/loops.js'
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
  readonly loops: Loops
  readonly outage: SharedOutage
  readonly log: Log
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
  #trying: Promise<void> | null = null

  constructor(deps: DiskWatchDeps) {
    this.#deps = deps
    this.#outage = deps.outage.of('writing')
    deps.loops.every('the watch over a full disk', { everyMs: RETRY_MS }, () => this.look())
  }

  /** Hears why a transaction failed. */
  failed(error: unknown): void {
    if (!isDiskFull(error)) return
    this.#outage.failed(error)
    if (this.#isFull) return
    this.#isFull = true
    this.#isUntold = true
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
    this.#outage.over()
  }

  async #tell(): Promise<void> {
    if (!this.#isUntold) return
    try {
      this.#isUntold = false
      const data = { code: 'disk_full', message: DISK_FULL.cause, session_id: null }
      await this.#deps.database.transaction((tx) => tx.emit('db.error', data))
    } catch (error) {
      this.#isUntold = true
      this.#deps.log.debug({ err: error }, 'a full disk could not be told of yet')
    }
  }
}
