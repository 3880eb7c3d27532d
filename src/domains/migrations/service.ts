import { setTimeout as delay } from 'node:timers/promises'
import { AppError } from '../../errors.js'
import type { Endpoint } from '../../platform/postgres/connection.js'
import { DirectSession } from '../../platform/postgres/direct.js'
import { isLockTimeout, isSerializationFailure, translate } from '../../platform/postgres/errors.js'
import { sql } from '../../platform/postgres/sql.js'
import { type Migration, readMigrations } from './files.js'
import * as statements from './sql.js'

/** What the runner works with. */
export interface MigrationDeps {
  readonly endpoint: Endpoint
  /** Folders of migration files; the built-in ones first. */
  readonly directories: readonly string[]
  readonly appVersion: string
}

/** One migration that a run has applied. */
export interface MigrationResult {
  readonly version: number
  readonly name: string
  readonly duration_ms: number
}

const LOCK_WAIT_MS = 60_000
const LOCK_POLL_MS = 100
/** A queued ALTER blocks every later reader of its table, so the wait is short and repeated instead. */
const STATEMENT_LOCK_TIMEOUT_MS = 3_000
const ATTEMPTS = 10
const BACKOFF_MS = 200

/** Applies migration files, each exactly once, in order, whoever else tries at the same time. */
export class MigrationService {
  readonly #deps: MigrationDeps

  constructor(deps: MigrationDeps) {
    this.#deps = deps
  }

  /**
   * Applies what is pending. Safe to run from several servers at once: the others wait, then find
   * nothing to do.
   *
   * @throws AppError `precondition_failed` when an applied file was edited or is missing, or when
   *   only a pooled connection is available
   */
  async up(): Promise<MigrationResult[]> {
    const migrations = await this.#files()
    return DirectSession.use(this.#deps.endpoint, async (session) => {
      try {
        if (await this.#isCurrent(session, migrations)) return []
        await this.#refusePooler(session)
        return await withLock(session, () => this.#applyPending(session, migrations))
      } catch (error) {
        throw translate(error)
      }
    })
  }

  async #files(): Promise<Migration[]> {
    const folders = await Promise.all(this.#deps.directories.map(readMigrations))
    return folders.flat()
  }

  async #isCurrent(session: DirectSession, migrations: readonly Migration[]): Promise<boolean> {
    const [ledger] = await session.many(statements.hasLedger())
    if (!ledger?.present) return false
    const applied = await session.many(statements.listApplied())
    return pendingOf(migrations, applied).length === 0
  }

  async #refusePooler(session: DirectSession): Promise<void> {
    if (!(await session.isPooled())) return
    throw new AppError(
      'precondition_failed',
      'Migrations cannot run through a connection pooler.',
      {
        hint: 'Set DATABASE_DIRECT_URL to the database itself (on DigitalOcean: the port of the cluster, not of the pool).',
      },
    )
  }

  async #applyPending(
    session: DirectSession,
    migrations: readonly Migration[],
  ): Promise<MigrationResult[]> {
    await session.many(statements.createLedger())
    const applied = await session.many(statements.listApplied())
    const results: MigrationResult[] = []
    for (const migration of pendingOf(migrations, applied)) {
      results.push(await this.#applyWithRetry(session, migration))
    }
    return results
  }

  async #applyWithRetry(session: DirectSession, migration: Migration): Promise<MigrationResult> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#apply(session, migration)
      } catch (error) {
        await session.command('rollback')
        const passing = isLockTimeout(error) || isSerializationFailure(error)
        if (!passing || attempt === ATTEMPTS) throw error
        await delay(BACKOFF_MS * attempt * (0.5 + Math.random()))
      }
    }
  }

  /** The file and its ledger row are one transaction: there is no half-applied state to repair. */
  async #apply(session: DirectSession, migration: Migration): Promise<MigrationResult> {
    const started = performance.now()
    await session.command(`begin; set local lock_timeout = ${STATEMENT_LOCK_TIMEOUT_MS}`)
    await session.many(sql.trusted(migration.upSql))
    const duration_ms = Math.round((performance.now() - started) * 1_000) / 1_000
    await session.many(statements.recordApplied(migration, duration_ms, this.#deps.appVersion))
    const tag = await session.command('commit')
    if (tag !== 'COMMIT') throw new Error(`migration ${migration.version} ended with ${tag}`)
    return { version: migration.version, name: migration.name, duration_ms }
  }
}

async function withLock<T>(session: DirectSession, work: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + LOCK_WAIT_MS
  for (;;) {
    const [row] = await session.many(statements.tryLock())
    if (row?.locked) break
    if (Date.now() > deadline) throw await lockedOut(session)
    await delay(LOCK_POLL_MS * (0.5 + Math.random()))
  }
  try {
    return await work()
  } finally {
    await session.many(statements.unlock())
  }
}

async function lockedOut(session: DirectSession): Promise<AppError> {
  const [holder] = await session.many(statements.lockHolder())
  const who = holder ? ` (backend ${holder.pid}, "${holder.application_name}")` : ''
  return new AppError(
    'conflict',
    `Another runner${who} has held the migration lock for a minute.`,
    {
      hint: 'Wait for it to finish, or end that backend, then start again.',
      retryable: true,
    },
  )
}

/** What is not applied yet, after checking that what is applied is still what the files say. */
function pendingOf(
  migrations: readonly Migration[],
  applied: readonly statements.AppliedMigration[],
): Migration[] {
  const byVersion = new Map(applied.map((row) => [row.version, row]))
  const versions = new Set(migrations.map(({ version }) => version))
  for (const row of applied) if (!versions.has(row.version)) throw missing(row)
  for (const migration of migrations) {
    const row = byVersion.get(migration.version)
    if (row && row.checksum !== migration.upSha256) throw edited(migration)
  }
  return migrations.filter(({ version }) => !byVersion.has(version))
}

const missing = ({ version, name }: statements.AppliedMigration): AppError =>
  new AppError(
    'precondition_failed',
    `Migration ${version} (${name}) was applied, but its file is missing.`,
    {
      hint: 'The database was migrated by a newer catalyst-db, or the file was deleted: use that version, or restore the file.',
    },
  )

const edited = (migration: Migration): AppError =>
  new AppError(
    'precondition_failed',
    `Migration ${migration.version} (${migration.name}) was edited after it was applied.`,
    { hint: 'Restore the file as it was; make the change in a new migration.' },
  )
