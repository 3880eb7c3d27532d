import type { Finding } from './lint/finding.js'
import type { FileLosses } from './measure/loss.js'

export type { Finding }

/** Who asked: a principal, `cli` or `server start`. */
export interface MigrationActor {
  readonly by: string
  /** The request in the audit log, if there was one. */
  readonly requestId: string | null
}

/** How a run is asked for, stopped and followed. */
export interface RunOptions {
  /** The version to reach; null for the newest (`up` and `dryRun`). */
  readonly target: number | null
  readonly actor: MigrationActor
  /** The digest of the plan that was confirmed; null when nobody was asked. */
  readonly confirmedPlan: string | null
  /** Stops the run: the running statement is cancelled, what is recorded stays recorded. */
  readonly signal: AbortSignal
  /** Called after each statement; the total is that of the whole plan. */
  progress(done: number, total: number, message: string): void
}

/** How a run of down scripts is asked for. */
export interface RollbackOptions extends RunOptions {
  /** The version that stays the newest. */
  readonly target: number
  /** Only before an older release is installed: this one does not work without its own migrations. */
  readonly includeBuiltIn: boolean
}

/** A lock on a relation that was there before the file ran, and the statement that first took it. */
export interface LockTaken {
  readonly relation: string
  /** PostgreSQL's name of it, such as `AccessExclusiveLock`. */
  readonly mode: string
  readonly statement: number
}

/** A table whose storage a statement replaced: every row was written again, or all were removed. */
export interface Rewrite {
  readonly relation: string
  readonly statement: number
}

/** What a run, or a dry run, did with one file. */
export interface MigrationResult {
  readonly version: number
  readonly name: string
  readonly status: 'applied' | 'dry_run' | 'planned'
  /** Why it was only planned, or what it made and was not handed over. */
  readonly reason: string | null
  readonly duration_ms: number | null
  readonly statements: number
  /** Duration of each statement that ran now, in its order. */
  readonly statement_ms: readonly number[]
  /** Null where they cannot be seen: outside a transaction they are gone with their statement. */
  readonly locks: readonly LockTaken[] | null
  readonly rewrites: readonly Rewrite[] | null
  /** Of a dry run: what would have to be confirmed; null where it was not measured. */
  readonly losses: readonly string[] | null
  readonly lint: readonly Finding[]
}

/** What a run, or a dry run, came to. */
export interface UpOutcome {
  readonly migrations_applied: readonly MigrationResult[]
  readonly new_version: number
  /** Of a dry run: what it could not take back. */
  readonly note: string | null
}

/** What a run of down scripts came to. */
export interface DownOutcome {
  /** Newest first. */
  readonly rolled_back: readonly number[]
  readonly current_version: number
}

/** One pending file of a plan. */
export interface PlannedMigration {
  readonly version: number
  readonly name: string
  readonly description: string
  readonly transactional: boolean
  readonly statements: number
  /** Of these, already run by an attempt that did not reach the end. */
  readonly statements_done: number
  readonly lint: readonly Finding[]
}

/** What `up` would run now. */
export interface UpPlan {
  readonly migrations: readonly PlannedMigration[]
  /** As far as they were measured: a run measures again, and keeps nothing that goes beyond them. */
  readonly losses: readonly FileLosses[]
  readonly new_version: number
  /** SHA-256 of all that will run. */
  readonly digest: string
  /** It loses data or locks what is in use, so that it must be confirmed. */
  readonly destructive: boolean
}

/** What `rollback` would run now. */
export interface DownPlan {
  readonly rollbacks: readonly PlannedMigration[]
  /** Null when they were not measured yet. */
  readonly losses: readonly FileLosses[] | null
  /** SHA-256 of the scripts alone. */
  readonly scripts: string
  readonly current_version: number
  readonly digest: string
}

/** One row change of a repair. */
export interface RepairChange {
  readonly version: number
  readonly name: string
  readonly problem: ProblemKind
  /** The row change in words, with both values. */
  readonly change: string
}

/** What `repair` would write into the ledger now. */
export interface RepairPlan {
  readonly changes: readonly RepairChange[]
  readonly digest: string
}

/** What can be wrong between the files and the database. */
type ProblemKind =
  | 'checksum_mismatch'
  | 'missing_file'
  | 'out_of_order'
  | 'failed'
  | 'unusable_file'

/** One thing that is wrong, and the exact next step. */
export interface MigrationProblem {
  /** Null for a file whose name says no version. */
  readonly version: number | null
  readonly name: string
  readonly problem: ProblemKind
  readonly message: string
  readonly next_step: string
}

/** Where the schema stands. */
export interface MigrationStatus {
  /** The highest applied version; 0 when there is none. */
  readonly current_version: number
  readonly pending_migrations: readonly {
    readonly version: number
    readonly name: string
    readonly description: string
  }[]
  readonly problems: readonly MigrationProblem[]
}

/** One entry of the append-only log. */
export interface HistoryEntry {
  readonly log_id: string
  readonly version: number
  readonly name: string
  readonly applied_at: string
  readonly duration_ms: number
  readonly direction: 'up' | 'down' | 'baseline' | 'repair'
  readonly applied_by: string
  readonly checksum: string | null
}
