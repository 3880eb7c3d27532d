import {
  type AlterTableCmd,
  bodies,
  body,
  type RangeVar,
  type ScriptStatement,
} from '../../../platform/sql-parser/syntax.js'
import { changedRelations, partOwners, writtenRelations } from './targets.js'
import { addedColumns, addedConstraints, alterations, isOn } from './tree.js'

/** The modes of PostgreSQL, weakest first, with what each keeps waiting. */
const BLOCKS = {
  'ACCESS SHARE': null,
  'ROW SHARE': null,
  'ROW EXCLUSIVE': null,
  'SHARE UPDATE EXCLUSIVE': 'schema changes and vacuum',
  SHARE: 'writes',
  'SHARE ROW EXCLUSIVE': 'writes',
  EXCLUSIVE: 'writes',
  'ACCESS EXCLUSIVE': 'reads and writes',
} as const satisfies Record<string, string | null>

/** A mode in which PostgreSQL locks tables. */
export type LockMode = keyof typeof BLOCKS

const MODES = Object.keys(BLOCKS) as LockMode[]

/** What waits for a lock of the mode; null: nothing but schema changes. */
export const blockedBy = (mode: LockMode): string | null => BLOCKS[mode]

/** Whether writers wait for it. */
export const holdsUpWrites = (mode: LockMode): boolean =>
  MODES.indexOf(mode) >= MODES.indexOf('SHARE')

/** A lock that a statement takes and its transaction keeps. */
export interface Lock {
  readonly relation: RangeVar
  readonly mode: LockMode
}

/** The mode that includes the others. */
export const strongest = (modes: readonly LockMode[]): LockMode | null =>
  MODES.findLast((mode) => modes.includes(mode)) ?? null

/**
 * The locks on tables that a statement takes, by the manual's pages of the commands and
 * https://www.postgresql.org/docs/18/explicit-locking.html; compared with pg_locks by test.
 */
export function locksOf(statement: ScriptStatement): Lock[] {
  const { kind, node } = statement
  switch (kind) {
    case 'AlterTableStmt':
      return alterTableLocks(statement)
    case 'IndexStmt':
      return locks(node.concurrent ? 'SHARE UPDATE EXCLUSIVE' : 'SHARE', node.relation)
    case 'ReindexStmt':
      return locks(
        isOn(node.params, 'concurrently') ? 'SHARE UPDATE EXCLUSIVE' : 'SHARE',
        node.relation,
      )
    case 'DropStmt':
      return dropLocks(statement)
    case 'TruncateStmt':
      return locks('ACCESS EXCLUSIVE', ...bodies(node.relations, 'RangeVar'))
    case 'ClusterStmt':
      return locks('ACCESS EXCLUSIVE', node.relation)
    case 'VacuumStmt':
      return bodies(node.rels, 'VacuumRelation').flatMap(({ relation }) =>
        locks(isOn(node.options, 'full') ? 'ACCESS EXCLUSIVE' : 'SHARE UPDATE EXCLUSIVE', relation),
      )
    case 'LockStmt':
      return locks(
        MODES[(node.mode ?? MODES.length) - 1] ?? 'ACCESS EXCLUSIVE',
        ...bodies(node.relations, 'RangeVar'),
      )
    case 'RefreshMatViewStmt':
      return locks(node.concurrent ? 'EXCLUSIVE' : 'ACCESS EXCLUSIVE', node.relation)
    case 'CreateTrigStmt':
      return locks('SHARE ROW EXCLUSIVE', node.relation)
    case 'CreatePolicyStmt':
    case 'AlterPolicyStmt':
      return locks('ACCESS EXCLUSIVE', node.table)
    case 'RuleStmt':
      return locks('ACCESS EXCLUSIVE', node.relation)
    case 'RenameStmt':
      return locks(
        node.renameType === 'OBJECT_INDEX' ? 'SHARE UPDATE EXCLUSIVE' : 'ACCESS EXCLUSIVE',
        node.relation,
      )
    case 'AlterObjectSchemaStmt':
      return locks('ACCESS EXCLUSIVE', node.relation)
    case 'CreateStmt':
      return createTableLocks(statement)
    default:
      return locks('ROW EXCLUSIVE', ...writtenRelations(statement))
  }
}

const locks = (mode: LockMode, ...relations: readonly (RangeVar | undefined)[]): Lock[] =>
  relations.flatMap((relation) => (relation ? [{ relation, mode }] : []))

function alterTableLocks(statement: ScriptStatement): Lock[] {
  const referenced = [
    ...addedConstraints(statement).map(({ constraint }) => constraint),
    ...addedColumns(statement).flatMap(({ constraints }) => constraints),
  ].map(({ pktable }) => pktable)
  const changes = alterations(statement)
  const mode = strongest(changes.map(({ command }) => alterationMode(command)))
  return [
    ...(mode ? locks(mode, changes[0]?.table) : []),
    ...locks('SHARE ROW EXCLUSIVE', ...referenced),
    ...changes.flatMap(({ command }) => partitionLocks(command)),
  ]
}

/** What ALTER TABLE does under less than ACCESS EXCLUSIVE. */
function alterationMode(command: AlterTableCmd): LockMode {
  switch (command.subtype) {
    case 'AT_ValidateConstraint':
    case 'AT_SetStatistics':
    case 'AT_SetOptions':
    case 'AT_ResetOptions':
    case 'AT_SetRelOptions':
    case 'AT_ResetRelOptions':
    case 'AT_ClusterOn':
    case 'AT_DropCluster':
    case 'AT_AttachPartition':
    case 'AT_DetachPartitionFinalize':
      return 'SHARE UPDATE EXCLUSIVE'
    case 'AT_DetachPartition':
      return body(command.def, 'PartitionCmd')?.concurrent
        ? 'SHARE UPDATE EXCLUSIVE'
        : 'ACCESS EXCLUSIVE'
    case 'AT_EnableTrig':
    case 'AT_EnableAlwaysTrig':
    case 'AT_EnableReplicaTrig':
    case 'AT_EnableTrigAll':
    case 'AT_EnableTrigUser':
    case 'AT_DisableTrig':
    case 'AT_DisableTrigAll':
    case 'AT_DisableTrigUser':
      return 'SHARE ROW EXCLUSIVE'
    case 'AT_AddConstraint':
      return body(command.def, 'Constraint')?.contype === 'CONSTR_FOREIGN'
        ? 'SHARE ROW EXCLUSIVE'
        : 'ACCESS EXCLUSIVE'
    default:
      return 'ACCESS EXCLUSIVE'
  }
}

const partitionLocks = (command: AlterTableCmd): Lock[] =>
  locks('ACCESS EXCLUSIVE', body(command.def, 'PartitionCmd')?.name)

function dropLocks(statement: ScriptStatement): Lock[] {
  const { kind, node } = statement
  if (kind !== 'DropStmt') return []
  const mode = node.concurrent ? 'SHARE UPDATE EXCLUSIVE' : 'ACCESS EXCLUSIVE'
  return locks(mode, ...changedRelations(statement), ...partOwners(statement))
}

/** The new table itself is nobody's yet; what it refers to and belongs to is. */
function createTableLocks(statement: ScriptStatement): Lock[] {
  if (statement.kind !== 'CreateStmt') return []
  const { tableElts, inhRelations, partbound } = statement.node
  const constraints = [
    ...bodies(tableElts, 'Constraint'),
    ...bodies(tableElts, 'ColumnDef').flatMap((column) => bodies(column.constraints, 'Constraint')),
  ]
  return [
    ...locks('SHARE ROW EXCLUSIVE', ...constraints.map(({ pktable }) => pktable)),
    ...locks(
      partbound ? 'ACCESS EXCLUSIVE' : 'SHARE UPDATE EXCLUSIVE',
      ...bodies(inhRelations, 'RangeVar'),
    ),
  ]
}
