import { AppError } from '../../errors.js'
import { humanBytes } from '../../lib/bytes.js'
import { type PageKey, pageOf } from '../../lib/page.js'
import type { ObjectStore } from '../../platform/objects/store.js'
import type { Database } from '../../platform/postgres/database.js'
import { Archive } from './archive/archive.js'
import type { BackupType } from './archive/keys.js'
import type { Manifest } from './archive/manifest.js'
import type { LogKeeper } from './capture/log-keeper.js'
import { logFacts, readLogState, type SlotState, slotState } from './capture/sql.js'
import * as statements from './sql.js'

export interface StatusDeps {
  readonly database: Database
  readonly log: LogKeeper
  objects(): Promise<ObjectStore>
}

/** Filters and page of the history. */
export interface HistoryQuery {
  readonly type?: BackupType | undefined
  readonly days?: number | undefined
  readonly limit: number
  readonly cursor?: PageKey | undefined
}

/** The log is certainly not kept when nobody has said anything for so long. */
const SILENT_MS = 60_000

/** Tells what there is to restore from, and how the log is doing. */
export class BackupStatus {
  readonly #deps: StatusDeps

  constructor(deps: StatusDeps) {
    this.#deps = deps
  }

  /** The newest backups, how much could be lost now, and what was proven. */
  async latest() {
    const { database } = this.#deps
    const [facts, log] = await Promise.all([
      database.one(logFacts()),
      database.maybeOne(readLogState()),
    ])
    const slot = facts.slot ? await database.maybeOne(slotState(facts.slot)) : null
    const found = await this.#look(log?.archive_id ?? null)
    const [latest, verified] = await Promise.all([
      database.many(statements.selectLatest()),
      database.many(statements.selectVerified()),
    ])
    const of = (type: BackupType) => latest.find((row) => row.type === type)
    const [full, incremental] = [of('full'), of('incremental')]
    const proven = verified.toSorted((a, b) =>
      (a.verified_at ?? '') < (b.verified_at ?? '') ? 1 : -1,
    )
    const [last] = proven
    const drill = proven.find(({ is_drill }) => is_drill)
    const { now } = await database.one(statements.clock())
    const covered = log?.covered_until ?? full?.covered_until ?? null
    return {
      latest_full: full ? shown(full) : null,
      latest_incremental: incremental ? shown(incremental) : null,
      covered_until: covered,
      oldest_restorable: found.oldest,
      rpo_seconds:
        covered === null ? null : Math.max(0, (Date.parse(now) - Date.parse(covered)) / 1_000),
      last_verified: last
        ? {
            backup_id: last.backup_id,
            level: last.verified_level ?? 'quick',
            at: last.verified_at ?? '',
            valid: last.verified_valid ?? false,
          }
        : null,
      last_drill: drill
        ? {
            at: drill.verified_at ?? '',
            restore_ms: drill.restore_ms,
            valid: drill.verified_valid ?? false,
          }
        : null,
      log: this.#logOf(facts, log, slot, now),
      store: found.store,
      barriers: found.barriers,
    }
  }

  /** Backups, newest first, with those that failed or run. */
  async history({ type, days, limit, cursor }: HistoryQuery) {
    const { database } = this.#deps
    const log = await database.maybeOne(readLogState())
    await this.#look(log?.archive_id ?? null)
    const rows = await database.many(
      statements.selectHistory({
        type: type ?? null,
        days: days ?? null,
        after: cursor ? [cursor[0] ?? '', cursor[1] ?? ''] : null,
        limit,
      }),
    )
    const { items, next_cursor } = pageOf(rows, limit, (row) => [row.timestamp, row.backup_id])
    const backups = items.map((row) => {
      const { status, verified_at, verified_level, duration_ms, error } = row
      return { ...shown(row), status, verified_at, verified_level, duration_ms, error }
    })
    return { backups, next_cursor }
  }

  #logOf(
    facts: Parameters<LogKeeper['whyNot']>[0],
    log: Awaited<ReturnType<typeof this.readState>>,
    slot: SlotState | null,
    now: string,
  ) {
    const obstacle = this.#deps.log.whyNot(facts)
    const isSilent = log === null || Date.parse(now) - Date.parse(log.updated_at) > SILENT_MS
    const state = obstacle
      ? 'unavailable'
      : isSilent && log?.state === 'archiving'
        ? 'paused'
        : log?.state
    const silence = 'No server of this database has kept the log for a minute.'
    return {
      state: state ?? ('unavailable' as const),
      lag_bytes: slot?.lag_bytes ?? null,
      retained_bytes: slot?.retained_bytes ?? null,
      budget_bytes: log?.budget_bytes ?? null,
      last_segment_at: log?.last_segment_at ?? null,
      reason:
        obstacle?.message ??
        log?.reason ??
        (isSilent ? (log ? silence : 'The log has not begun yet.') : null),
    }
  }

  /** Its type is what is read. */
  readState() {
    return this.#deps.database.maybeOne(readLogState())
  }

  /** What the store has: it is the truth, and what this table does not know is added to it. */
  async #look(archiveId: string | null) {
    const unknown = { oldest: null, barriers: [] }
    try {
      const objects = await this.#deps.objects()
      await objects.check()
      const ok = { status: 'ok' as const, reason: null }
      if (archiveId === null) return { ...unknown, store: ok }
      const archive = await Archive.open(objects, archiveId)
      const fulls = await archive.backupIds('full')
      await this.#learn(archive, [...fulls, ...(await archive.backupIds('incremental'))])
      const oldest = fulls.at(-1)
      const manifest = oldest === undefined ? null : await archive.manifest(oldest)
      const barriers = await archive.barriers()
      return {
        oldest: manifest?.type === 'full' ? manifest.snapshot.time : null,
        barriers: barriers.map(({ at, kind, reason }) => ({ at, kind, reason })),
        store: ok,
      }
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      return { ...unknown, store: { status: 'failing' as const, reason: error.message } }
    }
  }

  async #learn(archive: Archive, ids: readonly string[]): Promise<void> {
    const { database } = this.#deps
    const rows = await database.many(statements.selectIds())
    const known = new Set(rows.flatMap((row) => (row.status === 'failed' ? [] : row.backup_id)))
    for (const id of ids) {
      if (known.has(id)) continue
      await database.run(statements.insertFound(foundOf(archive, await archive.manifest(id))))
    }
  }
}

const foundOf = (archive: Archive, manifest: Manifest) => ({
  backupId: manifest.backup_id,
  type: manifest.type,
  location: archive.objects.locationOf(archive.keys.backup(manifest.backup_id)),
  baseBackup: manifest.type === 'incremental' ? manifest.base_backup : null,
  encrypted: manifest.encryption !== null,
  startedAt: manifest.started_at,
  finishedAt: manifest.finished_at,
  sizeBytes: manifest.totals.stored_bytes,
  coveredUntil: manifest.type === 'full' ? manifest.snapshot.time : manifest.log.covered_until,
})

const shown = (row: statements.BackupRow) => ({
  backup_id: row.backup_id,
  type: row.type,
  timestamp: row.timestamp,
  size: row.size_bytes === null ? null : humanBytes(row.size_bytes),
  size_bytes: row.size_bytes,
  location: row.location,
  base_backup: row.base_backup,
  encrypted: row.encrypted,
})
