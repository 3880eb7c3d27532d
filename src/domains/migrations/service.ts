import { setTimeout as delay } from 'node:timers/promises'
import { AppError } from '../../errors.js'
import type { PageKey } from '../../lib/page.js'
import type { Endpoint } from '../../platform/postgres/connection.js'
import { DirectSession } from '../../platform/postgres/direct.js'
import { isLockTimeout, isSerializationFailure, translate } from '../../platform/postgres/errors.js'
import { sql } from '../../platform/postgres/sql.js'
import { type Migration, readMigrations } from './files.js'
import type {
  DownPlan,
  HistoryEntry,
  MigrationActor,
  MigrationResult,
  MigrationStatus,
  RepairPlan,
  RollbackOptions,
  RunOptions,
  UpPlan,
} from './report.js'
import * as statements from './sql.js'

export type * from './report.js'

/** What the runner works with. */
export interface MigrationDeps {
  readonly endpoint: Endpoint
  /** The product's own files, versions below 1000. */
  readonly builtInDir: string
  /** The operator's files, versions from 1000; null when only the product's own are to be run. */
  readonly operatorDir: string | null
  readonly appVersion: string
  /** Called after a commit that wrote events. */
  readonly committed?: () => void
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
  async applyBuiltIn(): Promise<MigrationResult[]> {
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

  /** Where the schema stands, and what is wrong between files and database. Reads only. */
  async status(): Promise<MigrationStatus> {
    throw new Error('not built')
  }

  /** What was done to the schema, newest first; a page of the append-only log. */
  async history(_query: {
    readonly limit: number
    readonly cursor?: PageKey | undefined
  }): Promise<{ items: HistoryEntry[]; next_cursor: string | null }> {
    throw new Error('not built')
  }

  /** What `up` would run now: parsed and linted. Reads only, takes no lock. */
  async planUp(_target: number | null): Promise<UpPlan> {
    throw new Error('not built')
  }

  /** Applies what is pending. */
  async up(
    _options: RunOptions,
  ): Promise<{ migrations_applied: MigrationResult[]; new_version: number }> {
    throw new Error('not built')
  }

  /** Runs what is pending and undoes it. */
  async dryRun(
    _options: RunOptions,
  ): Promise<{ migrations_applied: MigrationResult[]; new_version: number }> {
    throw new Error('not built')
  }

  /** What `rollback` would run now. */
  async planDown(_target: number, _includeBuiltIn: boolean): Promise<DownPlan> {
    throw new Error('not built')
  }

  /** Runs the stored down scripts of everything above the target, newest first. */
  async rollback(
    _options: RollbackOptions,
  ): Promise<{ rolled_back: number[]; current_version: number }> {
    throw new Error('not built')
  }

  /** Records the operator's files up to a version as applied, without running them. */
  async baseline(_version: number, _actor: MigrationActor): Promise<{ recorded: number[] }> {
    throw new Error('not built')
  }

  /** The row changes that would make the ledger agree with the files. */
  async planRepair(): Promise<RepairPlan> {
    throw new Error('not built')
  }

  /** Makes them; with a digest only if they are still the ones that were confirmed. */
  async repair(_actor: MigrationActor, _confirmedPlan: string | null): Promise<RepairPlan> {
    throw new Error('not built')
  }

  #files(): Promise<Migration[]> {
    return readMigrations(this.#deps.builtInDir)
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
    const { version, name } = migration
    const unseen = { statements: 0, statement_ms: [], locks: null, rewrites: null, lint: [] }
    return { version, name, status: 'applied', reason: null, duration_ms, ...unseen }
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
