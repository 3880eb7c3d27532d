import { AppError } from '../../errors.js'
import { BUILT_IN_VERSIONS, type FileFault, type Migration } from './files.js'
import type { MigrationProblem } from './report.js'
import type { LedgerRow } from './sql.js'

/** A file that is to be run, and what an attempt that did not reach its end left in the ledger. */
export interface Pending {
  readonly migration: Migration
  readonly attempt: LedgerRow | null
}

/** What the files and the ledger say of each other. */
export interface Comparison {
  readonly pending: readonly Pending[]
  /** Each of them stands in the way of a run. */
  readonly problems: readonly MigrationProblem[]
}

/** Which command an operator goes on with. */
export const UP_COMMAND = 'catalyst-db migrate up'

/** The newest version below another; 0 when there is none. */
export const versionBelow = (version: number, ledger: readonly LedgerRow[]): number =>
  Math.max(0, ...ledger.map((row) => row.version).filter((other) => other < version))

/** The command that rolls back to a version. */
export const downCommand = (target: number): string => `catalyst-db migrate down --target ${target}`

/** True for a migration of the product itself. */
export const isBuiltIn = ({ version }: { readonly version: number }): boolean =>
  version <= BUILT_IN_VERSIONS.last

/** Finds what is not applied yet, and whether what is applied is still what the files say. */
export function compare(
  migrations: readonly Migration[],
  faults: readonly FileFault[],
  ledger: readonly LedgerRow[],
): Comparison {
  const rows = new Map(ledger.map((row) => [row.version, row]))
  const files = new Set(migrations.map(({ version }) => version))
  const pending = migrations.flatMap((migration): Pending[] => {
    const row = rows.get(migration.version)
    if (!row) return [{ migration, attempt: null }]
    return isUnfinishedUp(row) ? [{ migration, attempt: row }] : []
  })
  const problems = [
    ...faults.map(unusable),
    ...ledger.filter(({ version }) => !files.has(version)).map(missing),
    ...ledger.filter(isUnfinishedDown).map((row) => halfRolledBack(row, ledger)),
    ...migrations.flatMap((migration) => edited(migration, rows.get(migration.version))),
    ...pending.flatMap(({ migration }) => outOfOrder(migration, rows, ledger)),
  ]
  return { pending, problems }
}

/** Its up script was begun and did not reach its end. */
export const isUnfinishedUp = ({ status, direction }: LedgerRow): boolean =>
  status === 'failed' && direction === 'up'

const isUnfinishedDown = ({ status, direction }: LedgerRow): boolean =>
  status === 'failed' && direction === 'down'

/** True when nobody recorded how the statement after the last done one ended. */
export const isInDoubt = (row: LedgerRow): boolean =>
  row.statements_started > row.statements_done && row.error === null

/**
 * Refuses to run while something is wrong.
 *
 * @throws AppError `precondition_failed` with the first problem and its next step
 */
export function refuseProblems(problems: readonly MigrationProblem[]): void {
  const [first] = problems
  if (!first) return
  const others = problems.length - 1
  const more = others > 0 ? ` There are ${others} more problems.` : ''
  throw new AppError('precondition_failed', `${first.message}${more}`, { hint: first.next_step })
}

/** How far a script of single statements came, as a problem of its migration. */
export function unfinished(row: LedgerRow): MigrationProblem {
  const { version, name, statements_done, statements_total, error } = row
  const reached = `Migration ${version} (${name}) failed ${statements_done}/${statements_total}`
  const why = isInDoubt(row)
    ? `its runner went away during statement ${row.statements_started}.`
    : (error ?? 'its runner went away.')
  return {
    version,
    name,
    problem: 'failed',
    message: `${reached}: ${why}`,
    next_step: `Correct the rest of the file if need be, then run "${UP_COMMAND}" (or run_migrations): it goes on with statement ${statements_done + 1}.`,
  }
}

const halfRolledBack = (row: LedgerRow, ledger: readonly LedgerRow[]): MigrationProblem => ({
  ...unfinished(row),
  message: `Migration ${row.version} (${row.name}) is rolled back ${row.statements_done}/${row.statements_total}: ${row.error ?? 'its runner went away.'}`,
  next_step: `Run "${downCommand(versionBelow(row.version, ledger))}" (or rollback_migration), which goes on with statement ${row.statements_done + 1} of the down script. When that must be corrected, edit the .down.sql file and run "catalyst-db migrate repair" first.`,
})

const unusable = ({ version, file, message, nextStep }: FileFault): MigrationProblem => ({
  version,
  name: file,
  problem: 'unusable_file',
  message,
  next_step: nextStep,
})

const missing = (row: LedgerRow): MigrationProblem => ({
  version: row.version,
  name: row.name,
  problem: 'missing_file',
  message: `Migration ${row.version} (${row.name}) was applied, but its file is missing.`,
  next_step: isBuiltIn(row)
    ? 'The database was migrated by a newer catalyst-db: use that version.'
    : 'Restore the file. If it was deleted on purpose, run "catalyst-db migrate repair": the migration then leaves the ledger, and the schema keeps what it did.',
})

function edited(migration: Migration, row: LedgerRow | undefined): MigrationProblem[] {
  if (row?.status !== 'applied' || row.checksum === migration.upSha256) return []
  const { version, name } = migration
  const hashes = `${row.checksum.slice(0, 12)} then, ${migration.upSha256.slice(0, 12)} now`
  const repair = isBuiltIn(migration)
    ? 'install this version of catalyst-db again'
    : 'if only its comments differ, run "catalyst-db migrate repair"'
  return [
    {
      version,
      name,
      problem: 'checksum_mismatch',
      message: `Migration ${version} (${name}) was edited after it was applied (SHA-256 ${hashes}).`,
      next_step: `Restore the file as it was and make the change in a new migration; ${repair}.`,
    },
  ]
}

function outOfOrder(
  migration: Migration,
  rows: ReadonlyMap<number, LedgerRow>,
  ledger: readonly LedgerRow[],
): MigrationProblem[] {
  const { version, name, directives } = migration
  const isOurs = isBuiltIn(migration)
  const newest = Math.max(
    0,
    ...ledger.filter((row) => isBuiltIn(row) === isOurs).map((row) => row.version),
  )
  if (rows.has(version) || directives.outOfOrder || version > newest) return []
  return [
    {
      version,
      name,
      problem: 'out_of_order',
      message: `Migration ${version} (${name}) is not applied, but ${newest} is.`,
      next_step: `Give it a version above ${newest}, or, if it does not depend on the order, a line "-- out-of-order: ok" at its top.`,
    },
  ]
}
