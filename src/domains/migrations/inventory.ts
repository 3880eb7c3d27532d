import { AppError } from '../../errors.js'
import { type Comparison, compare, isBuiltIn, isUnfinishedUp } from './comparison.js'
import {
  BUILT_IN_VERSIONS,
  type Migration,
  type MigrationFolder,
  OPERATOR_VERSIONS,
  readFolder,
} from './files.js'
import type { LedgerRow } from './sql.js'

/** The folders of migration files. */
export interface Folders {
  /** The product's own files, versions below 1000. */
  readonly builtInDir: string
  /** The operator's files, versions from 1000; null when only the product's own are to be run. */
  readonly operatorDir: string | null
}

/** What is on disk and in the ledger, and what they say of each other. */
export interface Inventory extends Comparison {
  readonly migrations: readonly Migration[]
  readonly rows: readonly LedgerRow[]
}

/** Reads the folders anew: under the lock of the runners this is what will be run. */
export async function takeInventory(
  { builtInDir, operatorDir }: Folders,
  ledger: readonly LedgerRow[],
): Promise<Inventory> {
  const builtIn = await readFolder(builtInDir, BUILT_IN_VERSIONS)
  const operator: MigrationFolder =
    operatorDir === null
      ? { migrations: [], faults: [] }
      : await readFolder(operatorDir, OPERATOR_VERSIONS)
  const migrations = [...builtIn.migrations, ...operator.migrations]
  const faults = [...builtIn.faults, ...operator.faults]
  const rows = operatorDir === null ? ledger.filter(isBuiltIn) : ledger
  return { migrations, rows, ...compare(migrations, faults, rows) }
}

/** The highest version that is wholly applied; 0 when there is none. */
export const newestOf = (rows: readonly LedgerRow[]): number =>
  rows.findLast((row) => !isUnfinishedUp(row))?.version ?? 0

/**
 * The inventory as far as a target asks for it.
 *
 * @throws AppError `invalid_input` when no migration has that version
 */
export function upTo(inventory: Inventory, target: number | null): Inventory['pending'] {
  const { pending, migrations, rows } = inventory
  if (target === null) return pending
  const known = [...migrations, ...rows].some(({ version }) => version === target)
  if (!known) {
    const last = migrations.at(-1)?.version ?? 0
    throw new AppError('invalid_input', `No migration has version ${target}.`, {
      hint: `The newest is ${last}; "catalyst-db migrate status" and catalyst://db/migrations/status list what is pending.`,
    })
  }
  return pending.filter(({ migration }) => migration.version <= target)
}
