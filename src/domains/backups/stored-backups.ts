import { AppError } from '../../errors.js'
import { humanBytes } from '../../lib/bytes.js'
import type { Clock } from '../../lib/clock.js'
import type { ObjectStore } from '../../platform/objects/store.js'
import { Archive } from './archive/archive.js'
import { type BackupType, isBackupId } from './archive/keys.js'
import type { VerifyLevel } from './archive/manifest.js'
import type { RetentionPolicy } from './retention/plan.js'
import { type Pruned, prune } from './retention/prune.js'
import { isDamage } from './verify/findings.js'
import { type Verdict, verify } from './verify/verify.js'

export interface StoredBackupsDeps {
  readonly objects: ObjectStore
  readonly clock: Clock
  readonly policy: RetentionPolicy
  identities(): Promise<readonly string[]>
}

/** Who asks, and how far it has come. */
interface StoreCall {
  readonly signal: AbortSignal
  progress(done: number, total: number, message: string): void
}

/** One backup as its store tells of it. */
export interface StoredBackup {
  readonly backup_id: string
  readonly type: BackupType
  /** `damaged`: its manifest cannot be read, and `error` says why. */
  readonly status: 'completed' | 'retained' | 'damaged'
  readonly archive_id: string
  readonly database: string | null
  readonly timestamp: string | null
  /** Every instant up to it, from the full backup on, is in this backup. */
  readonly covered_until: string | null
  readonly size: string | null
  readonly size_bytes: number | null
  readonly location: string
  readonly base_backup: string | null
  readonly encrypted: boolean | null
  readonly verified_at: string | null
  readonly verified_level: VerifyLevel | null
  readonly error: string | null
}

/** What can be done with nothing but the store, and the identity where it is encrypted. */
export class StoredBackups {
  readonly #deps: StoredBackupsDeps

  constructor(deps: StoredBackupsDeps) {
    this.#deps = deps
  }

  /** Every backup of every database in the store, the newest first. */
  async list(type?: BackupType): Promise<{ location: string; backups: StoredBackup[] }> {
    const { objects } = this.#deps
    const backups: StoredBackup[] = []
    for (const id of await Archive.ids(objects)) {
      const archive = await Archive.open(objects, id)
      for (const one of type ? [type] : (['full', 'incremental'] as const)) {
        for (const backupId of await archive.backupIds(one)) {
          backups.push(await this.#tell(archive, backupId, one))
        }
      }
    }
    backups.sort((a, b) => (a.backup_id < b.backup_id ? 1 : -1))
    return { location: objects.location, backups }
  }

  /**
   * Verifies a backup, and keeps the verdict beside it.
   *
   * @throws AppError `not_found`, `unavailable`
   */
  async verify(
    backupId: string,
    level: 'quick' | 'content',
    { signal, progress }: StoreCall,
  ): Promise<Verdict> {
    const { objects, clock } = this.#deps
    const identities = await this.#deps.identities()
    const told = (done: number, message: string) => progress(done, 1, message)
    const deps = { objects, clock, identities, signal, progress: told }
    const verdict = await verify(deps, checkId(backupId), level)
    await this.keep(backupId, { ...verdict, restore_ms: null })
    return verdict
  }

  /** Keeps a verdict in the store, where that can be written; what was found holds all the same. */
  async keep(
    backupId: string,
    verdict: Pick<Verdict, 'level' | 'valid' | 'issues' | 'verified_at'> & {
      readonly restore_ms: number | null
    },
  ): Promise<void> {
    const { level, valid, issues, verified_at, restore_ms } = verdict
    try {
      const { objects } = this.#deps
      const archive = await Archive.open(objects, await Archive.holding(objects, backupId))
      const about = { archive_id: archive.id, backup_id: backupId, verified_at, restore_ms }
      await archive.putVerification({ ...about, level, valid, issues: [...issues] })
    } catch (error) {
      if (!(error instanceof AppError)) throw error
    }
  }

  /** Removes what retention no longer keeps, of every database in the store, or only says what it would remove. */
  async prune(dryRun: boolean, { signal }: Pick<StoreCall, 'signal'>): Promise<Pruned[]> {
    const { objects, policy, clock } = this.#deps
    const done: Pruned[] = []
    for (const id of await Archive.ids(objects)) {
      const archive = await Archive.open(objects, id)
      done.push(await prune({ archive, policy, clock, dryRun, signal }))
    }
    return done
  }

  close(): void {
    this.#deps.objects.close()
  }

  async #tell(archive: Archive, backupId: string, type: BackupType): Promise<StoredBackup> {
    const about = {
      backup_id: backupId,
      type,
      archive_id: archive.id,
      database: archive.info.database,
      location: archive.objects.locationOf(archive.keys.backup(backupId)),
    }
    try {
      const manifest = await archive.manifest(backupId)
      const [last] = await archive.verifications(backupId)
      const isFull = manifest.type === 'full'
      const covered = isFull ? manifest.snapshot.time : manifest.log.covered_until
      const bytes = manifest.totals.stored_bytes
      return {
        ...about,
        status: 'completed',
        timestamp: manifest.started_at,
        covered_until: covered,
        size: humanBytes(bytes),
        size_bytes: bytes,
        base_backup: isFull ? null : manifest.base_backup,
        encrypted: manifest.encryption !== null,
        verified_at: last?.verified_at ?? null,
        verified_level: last?.level ?? null,
        error: null,
      }
    } catch (error) {
      if (!isDamage(error)) throw error
      const unknown = { timestamp: null, covered_until: null, size: null, size_bytes: null }
      const verified = { verified_at: null, verified_level: null }
      const more = { base_backup: null, encrypted: null, error: error.message }
      return { ...about, status: 'damaged', ...unknown, ...verified, ...more }
    }
  }
}

/**
 * Whatever else somebody types never gets as far as the store.
 *
 * @throws AppError `invalid_input`
 */
function checkId(text: string): string {
  if (isBackupId(text)) return text
  throw new AppError('invalid_input', 'backup_id: must be the id of a backup.', {
    hint: 'It looks like 20261122T074942Z-F-7f3a91: "catalyst-db backup list" shows them.',
  })
}
