import { AppError } from '../../errors.js'
import type { Database } from '../../platform/postgres/database.js'
import type { BackupCall } from './create.js'
import type { Drilled } from './restore/drill.js'
import * as statements from './sql.js'
import type { StoredBackups } from './stored-backups.js'
import type { Verdict } from './verify/verify.js'

/** What is to be verified, and how thoroughly. */
export interface VerifyQuery {
  readonly backup_id: string
  readonly level: Verdict['level']
}

export interface VerifierDeps {
  readonly database: Database
  stored(): Promise<StoredBackups>
  /** Restores a backup beside, looks at it, and drops it. */
  drill(backupId: string, call: BackupCall): Promise<Drilled>
}

/** Verifies backups and keeps what came of it, in the store and where servers look. */
export class Verifier {
  readonly #deps: VerifierDeps

  constructor(deps: VerifierDeps) {
    this.#deps = deps
  }

  /**
   * Looks whether a backup is whole, or restores it to prove it.
   *
   * @throws AppError `not_found`, `unavailable`
   */
  async verify({ backup_id, level }: VerifyQuery, call: BackupCall): Promise<Verdict> {
    const stored = await this.#deps.stored()
    const look = level === 'quick' ? level : 'content'
    const read = await stored
      .verify(backup_id, look, call)
      .catch((error: unknown) => this.#vanished(backup_id, look, error))
    // What cannot be read cannot be restored.
    const isDrilled = level === 'restore' && read.valid
    const drilled = isDrilled ? await this.#deps.drill(backup_id, call) : undefined
    const verdict = drilled
      ? {
          ...read,
          level,
          valid: drilled.valid,
          issues: drilled.issues,
          not_checked: [...read.not_checked, ...drilled.not_checked],
          phases: [...read.phases, ...drilled.phases],
        }
      : read
    const restoreMs = drilled?.restore_ms ?? null
    if (drilled) await stored.keep(backup_id, { ...verdict, restore_ms: restoreMs })
    await this.#keep(backup_id, verdict, restoreMs)
    return verdict
  }

  /** A backup that was taken, and of which the store has nothing any more. */
  async #vanished(backupId: string, level: 'quick' | 'content', error: unknown): Promise<Verdict> {
    const isGone = error instanceof AppError && error.code === 'not_found'
    const known = isGone
      ? await this.#deps.database.maybeOne(statements.selectLocation(backupId))
      : null
    if (!known) throw error
    return {
      valid: false,
      issues: [
        `The object ${known.location}manifest.json is missing, and so is all of the backup.`,
      ],
      level,
      objects: 0,
      bytes: 0,
      not_checked: [],
      phases: [],
      verified_at: known.now,
    }
  }

  async #keep(backupId: string, verdict: Verdict, restoreMs: number | null): Promise<void> {
    const { level, valid, verified_at: at } = verdict
    await this.#deps.database.transaction(async (tx) => {
      await tx.run(statements.markVerified(backupId, { level, valid, at, restoreMs }))
      await tx.emit('backup.verified', { backup_id: backupId, level, valid, restore_ms: restoreMs })
    })
  }
}
