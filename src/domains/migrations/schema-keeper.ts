import { setTimeout as delay } from 'node:timers/promises'
import { AppError } from '../../errors.js'
import type { Attempts } from '../../lib/outage.js'
import type { SharedOutage } from '../../lib/shared-outage.js'
import type { Log } from '../../platform/log.js'
import { isSchemaMismatch } from '../../platform/postgres/errors.js'
import type { MigrationService, SchemaState } from './service.js'

const RETRY_MS = 1_000

/**
 * Brings the schema up to date when the server starts, and keeps trying while the database is away,
 * so that a server started before its database needs no restart.
 */
export class SchemaKeeper {
  /** What applies migrations, at the start and on request. */
  readonly migrations: MigrationService
  readonly #log: Log
  readonly #outage: Attempts
  readonly #stopped = new AbortController()
  #state: SchemaState = { state: 'pending', reason: 'Migrations have not run yet.' }
  /** Why it is not current. */
  #failure: AppError | null = null
  #running: Promise<void> = Promise.resolve()
  #becomeCurrent = (): void => {}
  /** Resolves when the schema is up to date. */
  readonly current = new Promise<void>((resolve) => {
    this.#becomeCurrent = resolve
  })

  constructor(deps: {
    readonly migrations: MigrationService
    readonly log: Log
    readonly outage: SharedOutage
  }) {
    this.migrations = deps.migrations
    this.#log = deps.log
    this.#outage = deps.outage.of('bringing the schema up to date')
  }

  /** What is known of the schema now. */
  get state(): SchemaState {
    return this.#state
  }

  /** What a call failed for, where that is that the schema is not current. */
  explain(error: unknown): unknown {
    if (!this.#failure || !isSchemaMismatch(error)) return error
    const { message, hint, retryable } = this.#failure
    return new AppError('unavailable', message, {
      cause: error,
      retryable,
      ...(hint === null ? {} : { hint }),
    })
  }

  /** Resolves after the first attempt; when it failed, further ones follow in the background. */
  async start(): Promise<void> {
    await this.#attempt()
    if (this.#state.state !== 'current') this.#running = this.#retry()
  }

  /** Ends the attempts; one that runs is stopped. */
  async stop(): Promise<void> {
    this.#stopped.abort()
    await this.#running
  }

  async #retry(): Promise<void> {
    const { signal } = this.#stopped
    while (!signal.aborted && this.#state.state !== 'current') {
      await delay(RETRY_MS, undefined, { signal }).catch(() => {})
      if (!signal.aborted) await this.#attempt()
    }
  }

  async #attempt(): Promise<void> {
    try {
      const applied = await this.migrations.applyBuiltIn(this.#stopped.signal)
      for (const { version, name, duration_ms } of applied) {
        this.#log.info({ migration: { version, name, duration_ms } }, 'migration applied')
      }
      this.#outage.over()
      this.#state = { state: 'current', reason: null }
      this.#failure = null
      this.#becomeCurrent()
    } catch (error) {
      if (!this.#stopped.signal.aborted) this.#outage.failed(error)
      this.#failure = error instanceof AppError ? error : MIGRATION_FAILED
      const { message, fix, retryable } = this.#failure
      const reason = `${message} ${fix ?? ''}`.trim()
      this.#state = { state: retryable ? 'pending' : 'failed', reason }
    }
  }
}

const MIGRATION_FAILED = new AppError('unavailable', 'A migration failed; see the log.', {
  retryable: false,
})
