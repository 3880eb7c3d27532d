import { AppError } from '../../errors.js'
import { canonicalJson } from '../../lib/canonical-json.js'
import type { Statement } from '../../platform/postgres/sql.js'
import { isBuiltIn, isInDoubt, refuseProblems } from './comparison.js'
import { type Migration, sha256 } from './files.js'
import type { Inventory } from './inventory.js'
import { type Author, recordFact } from './recording.js'
import type { RepairChange, RepairPlan } from './report.js'
import { readScript } from './script.js'
import * as ledger from './sql.js'

/** A change of the ledger alone, and how the log tells of it. */
interface Correction {
  readonly version: number
  readonly name: string
  readonly direction: 'baseline' | 'repair'
  readonly checksum: string
  readonly change: string
  readonly statement: Statement<unknown>
}

interface Repair extends Correction {
  readonly problem: RepairChange['problem']
}

/**
 * The row changes that make the ledger agree with the operator's files. The product's own migrations
 * are never repaired: another release of it is what they need.
 */
export function repairsOf(
  migrations: readonly Migration[],
  rows: readonly ledger.LedgerRow[],
): Repair[] {
  const files = new Map(migrations.map((migration) => [migration.version, migration]))
  return rows
    .filter((row) => !isBuiltIn(row))
    .flatMap((row) => {
      const file = files.get(row.version)
      return file ? [...settled(row), ...accepted(row, file)] : removed(row)
    })
}

/** The changes as their reader sees them, with a digest to confirm. */
export const planOf = (repairs: readonly Repair[]): RepairPlan => {
  const changes = repairs.map(({ version, name, problem, change }) => ({
    version,
    name,
    problem,
    change,
  }))
  return { changes, digest: sha256(canonicalJson(changes)) }
}

/**
 * The rows that record the operator's pending files up to a version as applied.
 *
 * @throws AppError `invalid_input` when it is not the version of one of these files
 */
export async function baselineOf(
  { pending, problems }: Inventory,
  version: number,
  author: Pick<Author, 'actor' | 'appVersion'>,
): Promise<Correction[]> {
  refuseProblems(problems.filter(({ problem }) => problem !== 'out_of_order'))
  const ours = pending.filter(({ migration, attempt }) => !isBuiltIn(migration) && !attempt)
  if (!ours.some(({ migration }) => migration.version === version)) {
    throw new AppError('invalid_input', `No pending migration of yours has version ${version}.`, {
      hint: 'Name the newest of your files that this database has already; "catalyst-db migrate status" lists the pending ones.',
    })
  }
  const recorded = ours.filter(({ migration }) => migration.version <= version)
  return Promise.all(recorded.map(({ migration }) => baselined(migration, author)))
}

async function baselined(
  migration: Migration,
  { actor, appVersion }: Pick<Author, 'actor' | 'appVersion'>,
): Promise<Correction> {
  const { version, name, file, upSql, upSha256: checksum } = migration
  const statements = (await readScript(file, upSql)).steps.length
  return {
    version,
    name,
    direction: 'baseline',
    checksum,
    change: `row ${version} is added without running ${file}`,
    statement: ledger.recordApplied(migration, {
      statements,
      durationMs: 0,
      by: actor.by,
      appVersion,
    }),
  }
}

/** Makes changes and logs each; the caller's transaction holds them together. */
export async function correct(author: Author, corrections: readonly Correction[]): Promise<void> {
  for (const { statement, change, ...fact } of corrections) {
    await author.session.many(statement)
    await recordFact(author, { ...fact, note: change, durationMs: 0, script: null })
  }
}

const removed = (row: ledger.LedgerRow): Repair[] => [
  {
    version: row.version,
    name: row.name,
    problem: 'missing_file',
    direction: 'repair',
    change: `row ${row.version} is removed; the schema keeps what it did`,
    checksum: row.checksum,
    statement: ledger.removeMigration(row.version),
  },
]

function settled(row: ledger.LedgerRow): Repair[] {
  if (!isInDoubt(row)) return []
  const { version, name, statements_started, statements_done, checksum } = row
  const change = `row ${version}: statements_started ${statements_started} -> ${statements_done}; statement ${statements_started} of the file is run again`
  const statement = ledger.forgetStarted(version)
  return [{ version, name, direction: 'repair', problem: 'failed', change, checksum, statement }]
}

function accepted(row: ledger.LedgerRow, file: Migration): Repair[] {
  const isUnfinishedUp = row.status === 'failed' && row.direction === 'up'
  const before = { name: row.name, up_sha256: row.checksum, down_sha256: shaOf(row.down_sql) }
  const after = { name: file.name, up_sha256: file.upSha256, down_sha256: shaOf(file.downSql) }
  // The end of its run writes these anyway.
  if (isUnfinishedUp || canonicalJson(before) === canonicalJson(after)) return []
  const changes = (['name', 'up_sha256', 'down_sha256'] as const)
    .filter((field) => before[field] !== after[field])
    .map((field) => `${field} ${before[field]} -> ${after[field]}`)
  return [
    {
      version: row.version,
      name: row.name,
      problem: row.status === 'failed' ? 'failed' : 'checksum_mismatch',
      direction: 'repair',
      change: `row ${row.version}: ${changes.join(', ')}`,
      checksum: file.upSha256,
      statement: ledger.acceptFile(file),
    },
  ]
}

const shaOf = (text: string | null): string | null => (text === null ? null : sha256(text))
