import type { Clock } from '../../lib/clock.js'
import type { Log } from '../../platform/log.js'
import type { Endpoint } from '../../platform/postgres/connection.js'
import type { Database } from '../../platform/postgres/database.js'
import type { Policy } from '../../policy.js'

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
  readonly recipients: readonly string[]
  readonly identityFile: string | null
  /** For the log on its way to the object store. */
  readonly spool: string
}

/** Backups: what is taken, what can be restored, and how it is proven. */
export class BackupService {
  readonly #deps: BackupDeps

  constructor(deps: BackupDeps) {
    this.#deps = deps
  }

  /** Where backups are kept, without secrets. */
  get location(): string {
    return this.#deps.location
  }
}
