import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { AppError } from '../../errors.js'
import { VERSION } from '../../lib/version.js'
import type { ObjectStore } from '../../platform/objects/store.js'
import type { Endpoint } from '../../platform/postgres/connection.js'
import type { Database } from '../../platform/postgres/database.js'
import type { Archive } from './archive/archive.js'
import { type BackupType, newBackupId } from './archive/keys.js'
import type { FullManifest, Sidecar } from './archive/manifest.js'
import { Leader, LOCKS } from './capture/leader.js'
import type { LogKeeper } from './capture/log-keeper.js'
import { publishTables, readLogState, writeMark } from './capture/sql.js'
import * as statements from './sql.js'

export interface CreateQuery {
  readonly type: BackupType
  readonly compress: boolean
  readonly encrypt: boolean
}

/** Who asks for a backup. */
export interface BackupCall {
  readonly signal: AbortSignal
  progress(done: number, total: number, message: string): void
}

export interface FullRequest extends BackupCall {
  readonly backupId: string
  readonly archive: Archive
  /** The log goes on from it. */
  readonly inLog: boolean
  readonly codec: 'br' | 'none'
  readonly recipients: readonly string[]
}

export interface TakerDeps {
  readonly database: Database
  readonly direct: Endpoint
  readonly serverId: string
  readonly recipients: readonly string[]
  readonly log: LogKeeper
  objects(): Promise<ObjectStore>
  /** Takes a full backup, its manifest last. */
  takeFull(request: FullRequest): Promise<FullManifest>
}

/** What a backup was when it was whole. */
interface Taken {
  readonly sizeBytes: number
  readonly coveredUntil: string | null
  readonly encrypted: boolean
  readonly tables: number
  readonly rows: number | null
  readonly issues: readonly string[]
}

/** What is to be taken, and why not what was asked for. */
interface Choice {
  readonly type: BackupType
  readonly reason: string | null
  /** What an incremental one goes on from. */
  readonly base: FullManifest | null
}

/** The log may have to be read to its end first. */
const SEAL_MS = 120_000

/** Takes backups, one at a time in a database. */
export class BackupTaker {
  readonly #deps: TakerDeps

  constructor(deps: TakerDeps) {
    this.#deps = deps
  }

  /**
   * Takes a backup; a full one instead of an incremental one where that would lead nowhere.
   *
   * @throws AppError `conflict` while another one is taken, `precondition_failed` without a recipient to encrypt for
   */
  async create(query: CreateQuery, call: BackupCall) {
    if (query.encrypt && this.#deps.recipients.length === 0) throw noRecipients()
    const leader = await Leader.take(this.#deps.direct, LOCKS.backup)
    if (!leader) throw await this.#alreadyRunning()
    const signal = AbortSignal.any([call.signal, leader.signal])
    try {
      await leader.many(statements.markInterrupted())
      return await this.#create(leader, query, { ...call, signal })
    } finally {
      await leader.release()
    }
  }

  async #create(leader: Leader, query: CreateQuery, call: BackupCall) {
    const { database, log, serverId } = this.#deps
    call.progress(0, 1, 'Looking at what there is')
    const { archive, noLog } = await log.prepare(leader)
    const choice = await choose(query.type, archive, noLog?.message ?? null)
    const { type, reason, base } = choice
    const { now } = await leader.one(statements.clock())
    const backupId = newBackupId(type, new Date(now))
    const location = archive.objects.locationOf(archive.keys.backup(backupId))
    const encrypted = type === 'full' ? query.encrypt : this.#deps.recipients.length > 0
    const baseBackup = base?.backup_id ?? null
    await database.run(
      statements.insertRunning({
        backupId,
        type,
        reason,
        location,
        baseBackup,
        encrypted,
        serverId,
      }),
    )
    try {
      // What the log has still to say of before must not come after a full backup.
      const at = noLog ? null : await this.#coverUntilNow(leader, call)
      const taken =
        base && at !== null
          ? await this.#seal(leader, { backupId, archive, base, at, ...call })
          : await this.#full({ backupId, archive, inLog: noLog === null, ...call }, query)
      return await this.#complete(backupId, { ...choice, location }, taken)
    } catch (error) {
      await this.#failed(backupId, type, error)
      throw error
    }
  }

  async #full(
    request: Omit<FullRequest, 'codec' | 'recipients'>,
    query: CreateQuery,
  ): Promise<Taken> {
    const { database, recipients } = this.#deps
    const manifest = await this.#deps.takeFull({
      ...request,
      codec: query.compress ? 'br' : 'none',
      recipients: query.encrypt ? recipients : [],
    })
    const log = await database.maybeOne(readLogState())
    const covered = log?.covered_until ?? null
    const { time } = manifest.snapshot
    return {
      sizeBytes: manifest.totals.stored_bytes,
      coveredUntil: request.inLog && covered !== null && isAfter(covered, time) ? covered : time,
      encrypted: manifest.encryption !== null,
      tables: manifest.totals.tables,
      rows: manifest.totals.rows,
      issues: manifest.issues,
    }
  }

  /** Everything that was committed until now is put into the store, and a name given to it. */
  async #seal(
    leader: Leader,
    request: BackupCall & {
      readonly backupId: string
      readonly archive: Archive
      readonly base: FullManifest
      /** Everything committed before it is in the store. */
      readonly at: string
    },
  ): Promise<Taken> {
    const { backupId, archive, base, at } = request
    const { now: startedAt } = await leader.one(statements.clock())
    const from = await sealedUntil(archive, base)
    const segments: Sidecar[] = []
    for await (const sidecar of archive.sidecars(from)) {
      segments.push(sidecar)
      if (isAfter(sidecar.covered_until, at)) break
    }
    const last = segments.at(-1)
    if (!last || !isAfter(last.covered_until, at))
      throw new Error('the log is not where it was told')
    const { now: finishedAt } = await leader.one(statements.clock())
    const sum = (of: (sidecar: Sidecar) => number) =>
      segments.reduce((total, sidecar) => total + of(sidecar), 0)
    const stored = sum(({ stored_bytes }) => stored_bytes)
    await archive.putManifest({
      type: 'incremental',
      backup_id: backupId,
      archive_id: archive.id,
      tool: { name: 'catalyst-db', version: VERSION },
      base_backup: base.backup_id,
      started_at: startedAt,
      finished_at: finishedAt,
      codec: last.codec,
      encryption: last.encryption,
      log: {
        from_lsn: from,
        to_lsn: last.end_lsn,
        covered_until: last.covered_until,
        segments: segments.map(({ key }) => key),
        commits: sum(({ commits }) => commits),
        max_time_backstep_us: Math.max(...segments.map((one) => one.max_time_backstep_us)),
      },
      issues: [],
      consistent: true,
      totals: { stored_bytes: stored, plain_bytes: sum(({ plain_bytes }) => plain_bytes) },
    })
    return {
      sizeBytes: stored,
      coveredUntil: last.covered_until,
      encrypted: last.encryption !== null,
      tables: new Set(segments.flatMap(({ relations }) => relations)).size,
      rows: null,
      issues: [],
    }
  }

  /** Marks this place in the log, and waits until everything before it is in the store. */
  async #coverUntilNow(leader: Leader, { signal, progress }: BackupCall): Promise<string> {
    await leader.many(publishTables())
    const { at } = await leader.one(writeMark(randomUUID()))
    progress(0.01, 1, 'Putting the log into the store')
    await this.#coveredUntil(leader, at, signal)
    return at
  }

  /** @throws AppError `unavailable` when the log does not get there */
  async #coveredUntil(leader: Leader, at: string, signal: AbortSignal): Promise<void> {
    const deadline = performance.now() + SEAL_MS
    for (;;) {
      signal.throwIfAborted()
      const [log] = await leader.many(readLogState())
      if (log?.covered_until && isAfter(log.covered_until, at)) return
      if (performance.now() > deadline) {
        throw new AppError(
          'unavailable',
          `The log does not get into the store: ${log?.reason ?? 'it takes longer than two minutes'}.`,
          {
            hint: 'Read catalyst://db/backups/latest for the state of log and store, then call again.',
          },
        )
      }
      await delay(50, undefined, { signal })
    }
  }

  async #complete(
    backupId: string,
    { type, reason, location }: Choice & { readonly location: string },
    taken: Taken,
  ) {
    const { sizeBytes, coveredUntil, encrypted, tables, rows, issues } = taken
    const duration_ms = await this.#deps.database.transaction(async (tx) => {
      const { duration_ms } = await tx.one(
        statements.markCompleted(backupId, { sizeBytes, coveredUntil }),
      )
      await tx.emit('backup.completed', {
        backup_id: backupId,
        type,
        size_bytes: sizeBytes,
        duration_ms,
        covered_until: coveredUntil,
      })
      return duration_ms
    })
    return {
      backup_id: backupId,
      location,
      size_bytes: sizeBytes,
      duration_ms,
      type,
      reason,
      covered_until: coveredUntil,
      encrypted,
      tables,
      rows,
      issues: [...issues],
    }
  }

  async #failed(backupId: string, type: BackupType, error: unknown): Promise<void> {
    const told = toldOf(error)
    await this.#deps.database
      .transaction(async (tx) => {
        await tx.run(statements.markFailed(backupId, told))
        await tx.emit('backup.failed', { backup_id: backupId, type, ...told })
      })
      // The database may be what failed: the next one tells that this was interrupted.
      .catch(() => {})
  }

  async #alreadyRunning(): Promise<AppError> {
    const running = await this.#deps.database.maybeOne(statements.selectRunning())
    const which = running ? ` (${running.backup_id})` : ''
    return new AppError('conflict', `Another backup of this database is being taken${which}.`, {
      hint: 'Wait for it: catalyst://db/backups/history shows when it is completed.',
      retryable: true,
    })
  }
}

/** An incremental one needs a full one from which the log leads to now. */
async function choose(wanted: BackupType, archive: Archive, noLog: string | null): Promise<Choice> {
  if (wanted === 'full') return { type: 'full', reason: null, base: null }
  const instead = (reason: string): Choice => ({ type: 'full', reason, base: null })
  if (noLog !== null) return instead(noLog)
  const base = await newestFull(archive)
  if (!base) return instead('There is no full backup yet.')
  if (!base.snapshot.in_log) return instead('The newest full backup was taken without a log.')
  const obstacle = await brokenSince(archive, base)
  return obstacle === null ? { type: 'incremental', reason: null, base } : instead(obstacle)
}

/** The newest full backup that is whole. */
export async function newestFull(archive: Archive): Promise<FullManifest | null> {
  for await (const full of archive.fulls()) return full
  return null
}

/** What the log does not tell since a full backup; null where it tells all. */
export async function isBarred(archive: Archive, base: FullManifest): Promise<string | null> {
  const barrier = (await archive.barriers()).find(({ lsn }) => lsn >= base.snapshot.lsn)
  return barrier?.reason ?? null
}

/** Why the log does not lead from a full backup to now; null where it does. */
async function brokenSince(archive: Archive, base: FullManifest): Promise<string | null> {
  const barrier = await isBarred(archive, base)
  if (barrier !== null) return barrier
  let end: bigint | null = null
  for await (const segment of archive.segments(base.snapshot.lsn)) {
    const from: bigint = end ?? base.snapshot.lsn
    if (segment.start > from) return 'A part of the log since the newest full backup is missing.'
    if (end === null || segment.end > end) end = segment.end
  }
  return null
}

/** Where the last incremental one since a full one ended, else where that full one is. */
async function sealedUntil(archive: Archive, base: FullManifest): Promise<bigint> {
  const [newest] = await archive.backupIds('incremental')
  const last = newest === undefined ? null : await archive.manifest(newest)
  const isSince = last?.type === 'incremental' && last.log.to_lsn > base.snapshot.lsn
  return isSince ? last.log.to_lsn : base.snapshot.lsn
}

/** That instant or a later one; texts of instants have different numbers of decimals. */
const isAfter = (instant: string, other: string): boolean => sortable(instant) >= sortable(other)

const sortable = (instant: string): string => {
  const [seconds = '', fraction = ''] = instant.replace(/Z$/, '').split('.')
  return `${seconds}.${fraction.padEnd(6, '0')}`
}

const toldOf = (error: unknown): { code: string; message: string } =>
  error instanceof AppError
    ? { code: error.code, message: error.message }
    : { code: 'internal_error', message: 'The server failed in a way it did not expect.' }

const noRecipients = (): AppError =>
  new AppError('precondition_failed', 'There is nobody to encrypt for.', {
    hint: 'Set CATALYST_BACKUP_RECIPIENTS to the age public keys of who may restore, or leave encrypt out.',
  })
