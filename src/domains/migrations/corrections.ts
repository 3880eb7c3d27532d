import { AppError } from '../../errors.js'
import { canonicalJson } from '../../lib/canonical-json.js'
import type { Statement } from '../../platform/postgres/sql.js'
import { isBuiltIn, type Migration, sha256 } from './files.js'
import { type Inventory, isInDoubt, isUnfinishedUp, refuseProblems } from './inventory.js'
import { type Author, recordFact } from './ledger.js'
import * as ledger from './ledger.sql.js'
import type { Problem } from './schemas.js'
import { readScript } from './script.js'

/** A change of the ledger alone, and how the log tells of it. */
interface Correction {
  readonly version: number
  readonly name: string
  readonly direction: 'baseline' | 'repair'
  readonly checksum: string
  readonly change: string
  readonly statements: readonly Statement<unknown>[]
}

interface Repair extends Correction {
  readonly problem: Problem['problem']
}

/** What `repair` would write into the ledger now. */
export interface RepairPlan {
  readonly changes: readonly Pick<Repair, 'version' | 'name' | 'problem' | 'change'>[]
  readonly digest: string
}

/**
 * The row changes that make the ledger agree with the operator's files. The product's own migrations
 * are never repaired: another release of it is what they need.
 */
export function repairsOf({ migrations, rows }: Inventory): Repair[] {
  const files = new Map(migrations.map((migration) => [migration.version, migration]))
  return rows
    .filter((row) => !isBuiltIn(row))
    .flatMap((row) => {
      const file = files.get(row.version)
      return file ? [...settled(row), ...accepted(row, file)] : [removed(row)]
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
  { actor, appVersion }: Pick<Author, 'actor' | 'appVersion'>,
): Promise<Correction[]> {
  refuseProblems(problems.filter(({ problem }) => problem !== 'out_of_order'))
  const ours = pending.flatMap(({ migration, attempt }) =>
    isBuiltIn(migration) || attempt ? [] : migration,
  )
  if (!ours.some((migration) => migration.version === version)) {
    throw new AppError('invalid_input', `No pending migration of yours has version ${version}.`, {
      hint: 'Name the newest of your files that this database has already; "catalyst-db migrate status" lists the pending ones.',
    })
  }
  const recorded = ours.filter((migration) => migration.version <= version)
  return Promise.all(
    recorded.map(async (migration) => {
      const { file, name, upSql, upSha256: checksum } = migration
      const statements = (await readScript(file, upSql)).steps.length
      return {
        version: migration.version,
        name,
        direction: 'baseline',
        checksum,
        change: `row ${migration.version} is added without running ${file}`,
        statements: [
          ledger.recordBegun(migration, { statements, by: actor.by, appVersion }),
          ledger.recordApplied(migration.version, 0),
        ],
      }
    }),
  )
}

/** Makes changes and logs each; the caller's transaction holds them together. */
export async function correct(author: Author, corrections: readonly Correction[]): Promise<void> {
  for (const { statements, change, ...fact } of corrections) {
    for (const statement of statements) await author.session.many(statement)
    await recordFact(author, { ...fact, note: change, durationMs: 0, script: null })
  }
}

const repaired = (
  { version, name, checksum }: ledger.LedgerRow,
  problem: Repair['problem'],
  change: string,
  statement: Statement<unknown>,
): Repair => ({
  version,
  name,
  checksum,
  problem,
  direction: 'repair',
  change: `row ${version}${change}`,
  statements: [statement],
})

const removed = (row: ledger.LedgerRow): Repair =>
  repaired(
    row,
    'missing_file',
    ' is removed; the schema keeps what it did',
    ledger.removeMigration(row.version),
  )

function settled(row: ledger.LedgerRow): Repair[] {
  if (!isInDoubt(row)) return []
  const { version, statements_started, statements_done } = row
  const change = `: statements_started ${statements_started} -> ${statements_done}; statement ${statements_started} of the file is run again`
  return [repaired(row, 'failed', change, ledger.forgetStarted(version))]
}

function accepted(row: ledger.LedgerRow, file: Migration): Repair[] {
  // The end of its run writes these anyway.
  if (isUnfinishedUp(row)) return []
  const fields = [
    ['name', row.name, file.name],
    ['up_sha256', row.checksum, file.upSha256],
    ['down_sha256', shaOf(row.down_sql), shaOf(file.downSql)],
  ] as const
  const changes = fields.flatMap(([field, before, after]) =>
    before === after ? [] : `${field} ${before} -> ${after}`,
  )
  if (changes.length === 0) return []
  const problem = row.status === 'failed' ? 'failed' : 'checksum_mismatch'
  const repair = repaired(row, problem, `: ${changes.join(', ')}`, ledger.acceptFile(file))
  return [{ ...repair, checksum: file.upSha256 }]
}

const shaOf = (text: string | null): string | null => (text === null ? null : sha256(text))
