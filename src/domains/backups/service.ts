import type { Clock } from '../../lib/clock.js'
import type { Log } from '../../platform/log.js'
import type { ObjectStore } from '../../platform/objects/store.js'
import type { Endpoint } from '../../platform/postgres/connection.js'
import type { Database } from '../../platform/postgres/database.js'
import type { Policy } from '../../policy.js'
import { LogKeeper } from './capture/log-keeper.js'

/** What backups are made from. */
export interface BackupDeps {
  readonly database: Database
  /** The database itself: replication, COPY and side databases cannot go through a pooler. */
  readonly direct: Endpoint
  readonly engine: 'embedded' | 'external'
  readonly clock: Clock
  readonly log: Log
  readonly policy: Policy['backups']
  /** `file:///directory` or `s3://bucket/prefix`. */
  readonly location: string
  openStore(): Promise<ObjectStore>
  readonly recipients: readonly string[]
  readonly identityFile: string | null
  /** For the log on its way to the object store. */
  readonly spool: string
}

/** Backups: what is taken, what can be restored, and how it is proven. */
export class BackupService {
  readonly #deps: BackupDeps
  readonly #log: LogKeeper
  #store: Promise<ObjectStore> | null = null

  constructor(deps: BackupDeps) {
    this.#deps = deps
    this.#log = new LogKeeper({
      ...deps,
      objects: () => this.objects(),
      broken: async (error) => {
        const { code, message } = error
        const failed = { backup_id: null, type: null, code, message }
        await deps.database.transaction((tx) => tx.emit('backup.failed', failed))
      },
    })
  }

  /** Where backups are kept. */
  objects(): Promise<ObjectStore> {
    this.#store ??= this.#deps.openStore()
    return this.#store
  }

  /** Keeps the log, if no other server does, until the signal is aborted. */
  keepLog(signal: AbortSignal): Promise<void> {
    return this.#log.round(signal)
  }

  async close(): Promise<void> {
    const store = await this.#store
    store?.close()
  }
}
