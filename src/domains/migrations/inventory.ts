import { AppError } from '../../errors.js'
import { type Folders, isBuiltIn, type Migration, readFolders } from './files.js'
import type { LedgerRow } from './ledger.sql.js'
import type { Problem } from './schemas.js'

/** A file that is to be run, and what an attempt that did not reach its end left in the ledger. */
interface Pending {
  readonly migration: Migration
  readonly attempt: LedgerRow | null
}

/** What is on disk and in the ledger, and what they say of each other. */
export interface Inventory {
  readonly migrations: readonly Migration[]
  readonly rows: readonly LedgerRow[]
  readonly pending: readonly Pending[]
  /** Each of them stands in the way of a run. */
  readonly problems: readonly Problem[]
}

/** Which command an operator goes on with. */
export const UP_COMMAND = 'catalyst-db migrate up'

/** The command that rolls back to a version. */
export const downCommand = (target: number): string => `catalyst-db migrate down --target ${target}`

/** Reads the folders anew: under the lock of the runners this is what will be run. */
export async function takeInventory(
  folders: Folders,
  ledger: readonly LedgerRow[],
): Promise<Inventory> {
  const { migrations, faults } = await readFolders(folders)
  const rows = folders.operatorDir === null ? ledger.filter(isBuiltIn) : ledger
  const known = new Map(rows.map((row) => [row.version, row]))
  const files = new Set(migrations.map(({ version }) => version))
  const pending = migrations.flatMap((migration): Pending[] => {
    const row = known.get(migration.version)
    if (!row) return [{ migration, attempt: null }]
    return isUnfinishedUp(row) ? [{ migration, attempt: row }] : []
  })
  const problems = [
    ...faults,
    ...rows.filter(({ version }) => !files.has(version)).map(missing),
    ...rows.filter(isUnfinishedDown).map((row) => halfRolledBack(row, rows)),
    ...migrations.flatMap((migration) => edited(migration, known.get(migration.version))),
    ...pending.filter(({ attempt }) => !attempt).flatMap((one) => outOfOrder(one, rows)),
  ]
  return { migrations, rows, pending, problems }
}

/** The highest version that is wholly applied; 0 when there is none. */
export const newestOf = (rows: readonly LedgerRow[]): number =>
  rows.findLast((row) => !isUnfinishedUp(row))?.version ?? 0

/** The newest version below another; 0 when there is none. */
export const versionBelow = (version: number, rows: readonly LedgerRow[]): number =>
  Math.max(0, ...rows.map((row) => row.version).filter((other) => other < version))

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
export function refuseProblems(problems: readonly Problem[]): void {
  const [first] = problems
  if (!first) return
  const others = problems.length - 1
  const more = others > 0 ? ` There are ${others} more problems.` : ''
  throw new AppError('precondition_failed', `${first.message}${more}`, { hint: first.next_step })
}

/** How far a script of single statements came, as a problem of its migration. */
export function unfinished(row: LedgerRow): Problem {
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

const halfRolledBack = (row: LedgerRow, rows: readonly LedgerRow[]): Problem => ({
  ...unfinished(row),
  message: `Migration ${row.version} (${row.name}) is rolled back ${row.statements_done}/${row.statements_total}: ${row.error ?? 'its runner went away.'}`,
  next_step: `Run "${downCommand(versionBelow(row.version, rows))}" (or rollback_migration), which goes on with statement ${row.statements_done + 1} of the down script. When that must be corrected, edit the .down.sql file and run "catalyst-db migrate repair" first.`,
})

const missing = ({ version, name }: LedgerRow): Problem => ({
  version,
  name,
  problem: 'missing_file',
  message: `Migration ${version} (${name}) was applied, but its file is missing.`,
  next_step: isBuiltIn({ version })
    ? 'The database was migrated by a newer catalyst-db: use that version.'
    : 'Restore the file. If it was deleted on purpose, run "catalyst-db migrate repair": the migration then leaves the ledger, and the schema keeps what it did.',
})

function edited(migration: Migration, row: LedgerRow | undefined): Problem[] {
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

function outOfOrder({ migration }: Pending, rows: readonly LedgerRow[]): Problem[] {
  const { version, name, directives } = migration
  const isOurs = isBuiltIn(migration)
  const others = rows.filter((row) => isBuiltIn(row) === isOurs).map((row) => row.version)
  const newest = Math.max(0, ...others)
  if (directives.outOfOrder || version > newest) return []
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
