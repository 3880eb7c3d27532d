import { AppError } from '../../errors.js'
import type { Clock } from '../../lib/clock.js'
import type { Log } from '../../platform/log.js'
import type { ObjectStore } from '../../platform/objects/store.js'
import type { Endpoint } from '../../platform/postgres/connection.js'
import type { Database } from '../../platform/postgres/database.js'
import type { Policy } from '../../policy.js'
import { Archive } from './archive/archive.js'
import { LogKeeper } from './capture/log-keeper.js'
import { readLogState } from './capture/sql.js'
import { type BackupCall, BackupTaker, type CreateQuery, type FullRequest } from './create.js'
import { takeFull } from './full/full.js'
import { type ChangesQuery, changesBetween } from './past/changes.js'
import { type RowQuery, rowAt } from './past/row.js'
import { Restores } from './restore/restores.js'
import { Schedule } from './schedule.js'
import { readIdentities } from './settings.js'
import { selectLatest } from './sql.js'
import { BackupStatus, type HistoryQuery } from './status.js'
import { StoredBackups } from './stored-backups.js'
import { Verifier, type VerifyQuery } from './verifier.js'

/** What backups are made from. */
export interface BackupDeps {
  readonly database: Database
  /** The database itself: replication, COPY and side databases cannot go through a pooler. */
  readonly direct: Endpoint
  readonly engine: 'embedded' | 'external'
  readonly clock: Clock
  readonly serverId: string
  readonly log: Log
  readonly policy: Policy['backups']
  /** `file:///directory` or `s3://bucket/prefix`. */
  readonly location: string
  openStore(): Promise<ObjectStore>
  readonly recipients: readonly string[]
  readonly identityFile: string | null
  /** For the log on its way to the object store. */
  readonly spool: string
  /** Brings what only a superuser may make into a database, where one is at hand. */
  readonly prepareDatabase?: ((database: string) => Promise<void>) | undefined
  /** A backup was taken or looked at here; waited for before that is answered. */
  readonly changed?: (() => Promise<void>) | undefined
  /** Named places at which a test may end the process. */
  readonly step?: ((name: string) => unknown) | undefined
}

/** Backups: what is taken, what can be restored, and how it is proven. */
export class BackupService {
  /** Databases that were restored. */
  readonly restores: Restores
  readonly #deps: BackupDeps
  readonly #log: LogKeeper
  readonly #taker: BackupTaker
  readonly #status: BackupStatus
  readonly #schedule: Schedule
  readonly #verifier: Verifier
  #store: Promise<ObjectStore> | null = null

  constructor(deps: BackupDeps) {
    this.#deps = deps
    const objects = () => this.objects()
    this.restores = new Restores({ ...deps, objects })
    this.#log = new LogKeeper({ ...deps, objects, broken: (error) => this.#logBroke(error) })
    const log = this.#log
    this.#taker = new BackupTaker({
      ...deps,
      log,
      objects,
      takeFull: (full) => this.#takeFull(full),
    })
    this.#status = new BackupStatus({ ...deps, log, objects })
    this.#verifier = new Verifier({
      ...deps,
      stored: () => this.#stored(),
      drill: (backupId, call) => this.restores.drill(backupId, call),
    })
    this.#schedule = new Schedule({
      ...deps,
      log,
      objects,
      taker: this.#taker,
      drill: (signal) => this.#drillNewest(signal),
    })
  }

  /** Takes a backup. */
  create(query: CreateQuery, call: BackupCall) {
    return this.#taker.create(query, call).finally(() => this.#changed())
  }

  /** Looks whether a backup is whole, or restores it to prove it. */
  verify(query: VerifyQuery, call: BackupCall) {
    return this.#verifier.verify(query, call).finally(() => this.#changed())
  }

  /** The newest backups, how much could be lost now, and what was proven. */
  latest() {
    return this.#status.latest()
  }

  /** Backups, newest first. */
  history(query: HistoryQuery) {
    return this.#status.history(query)
  }

  /** A row as it stood at an instant. */
  async rowAt(query: RowQuery, signal: AbortSignal) {
    return rowAt(await this.#source(signal), this.#deps.direct, query)
  }

  /** What was done to a table between two instants. */
  async changes(query: ChangesQuery, signal: AbortSignal) {
    return changesBetween(await this.#source(signal), query)
  }

  /** Where backups are kept. */
  objects(): Promise<ObjectStore> {
    this.#store ??= this.#deps.openStore()
    return this.#store
  }

  /** Keeps the log, if no other server does, until the signal is aborted. */
  keepLog(signal: AbortSignal, works: () => void): Promise<void> {
    return this.#log.round(signal, works)
  }

  /** Ends the log: slot and publication are dropped, and what they kept back on the server is free. */
  stopLog() {
    return this.#log.stop()
  }

  /** Takes what is due, if this server keeps the log. */
  takeDue(signal: AbortSignal): Promise<void> {
    return this.#schedule.round(signal)
  }

  async close(): Promise<void> {
    const store = await this.#store
    store?.close()
  }

  /** What nobody here can open is not tried. */
  async #drillNewest(signal: AbortSignal): Promise<void> {
    const { database, identityFile } = this.#deps
    const latest = await database.many(selectLatest())
    const full = latest.find(({ type }) => type === 'full')
    if (!full || (full.encrypted && identityFile === null)) return
    const call = { signal, progress: () => {} }
    await this.#verifier.verify({ backup_id: full.backup_id, level: 'restore' }, call)
  }

  async #stored(): Promise<StoredBackups> {
    const { clock, policy, identityFile } = this.#deps
    const objects = await this.objects()
    return new StoredBackups({
      objects,
      clock,
      policy,
      identities: () => readIdentities(identityFile),
    })
  }

  /** The archive of this database, with what opens it here. */
  async #source(signal: AbortSignal) {
    const { database, identityFile } = this.#deps
    const [state, objects, identities] = await Promise.all([
      database.maybeOne(readLogState()),
      this.objects(),
      readIdentities(identityFile),
    ])
    if (!state?.archive_id) throw noArchive()
    return { archive: await Archive.open(objects, state.archive_id), identities, signal }
  }

  #takeFull(full: FullRequest) {
    const { direct: endpoint, policy } = this.#deps
    return takeFull({ ...full, endpoint, workers: policy.workers })
  }

  /** What came of it is the answer, whether or not it can be looked at. */
  async #changed(): Promise<void> {
    await this.#deps.changed?.().catch(() => {})
  }

  async #logBroke({ code, message }: AppError): Promise<void> {
    const failed = { backup_id: null, type: null, code, message }
    await this.#deps.database.transaction((tx) => tx.emit('backup.failed', failed))
  }
}

const noArchive = (): AppError =>
  new AppError('precondition_failed', 'There is no log of this database yet.', {
    hint: 'Call create_backup: from then on a log is kept. catalyst://db/backups/latest says how it is.',
  })
