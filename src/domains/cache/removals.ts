import { EVERY_SYMBOL, type Marks, markNames } from '../../lib/marks.js'
import type { Database } from '../../platform/postgres/database.js'
import type { Entries } from './entries.js'

interface RemovalDeps {
  readonly entries: Pick<Entries, 'removeOutdated'>
  readonly database: Pick<Database, 'transaction'>
}

/** Writes of a moment are removed together. */
const GATHER_MS = 250
/** One summary a second is news, more are noise. */
const SUMMARY_MS = 1_000
/** What more there is ends by its time to live: nobody is served it anyway. */
const MAX_TAGS = 200

/** Removes what commits of this server have outdated, and tells how much that was. */
export class Removals {
  readonly #deps: RemovalDeps
  readonly #tags = new Set<string>()
  #gathering: NodeJS.Timeout | null = null
  #summary: NodeJS.Timeout | null = null
  #running: Promise<void> = Promise.resolve()
  #deleted = 0

  constructor(deps: RemovalDeps) {
    this.#deps = deps
  }

  /** Takes what a commit has outdated; whole kinds are left to end by themselves. */
  add(touched: Marks | undefined): void {
    for (const name of markNames(touched ?? {})) {
      if (!name.endsWith(`:${EVERY_SYMBOL}`) && this.#tags.size < MAX_TAGS) this.#tags.add(name)
    }
    if (this.#tags.size === 0) return
    this.#gathering ??= setTimeout(() => this.#begin(), GATHER_MS).unref()
  }

  /** Ends; what was removed is still told. */
  async stop(): Promise<void> {
    if (this.#gathering) clearTimeout(this.#gathering)
    if (this.#summary) clearTimeout(this.#summary)
    await this.#running
    await this.#tell()
  }

  #begin(): void {
    this.#running = this.#running.then(() => this.#remove())
    this.#gathering = null
  }

  async #remove(): Promise<void> {
    const tags = [...this.#tags]
    this.#tags.clear()
    // A cache that does not answer keeps them, and they are not served when it is back.
    this.#deleted += await this.#deps.entries.removeOutdated(tags).catch(() => 0)
    if (this.#deleted === 0) return
    this.#summary ??= setTimeout(() => {
      this.#running = this.#running.then(() => this.#tell())
      this.#summary = null
    }, SUMMARY_MS).unref()
  }

  async #tell(): Promise<void> {
    const keys_deleted = this.#deleted
    if (keys_deleted === 0) return
    this.#deleted = 0
    // A summary is no fact that anything rests on: one that cannot be written is left out.
    await this.#deps.database
      .transaction((tx) => tx.emit('cache.invalidation', { cause: 'change', keys_deleted }))
      .catch(() => {})
  }
}
