import {
  type AlterTableCmd,
  bodies,
  body,
  type Node,
  type RangeVar,
  type ScriptStatement,
} from './syntax.js'
import { addedColumns, addedConstraints, alterations, isOn, nameOf, nodesIn } from './tree.js'

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

/** The mode that includes the others. */
export const strongest = (modes: readonly LockMode[]): LockMode | null =>
  MODES.findLast((mode) => modes.includes(mode)) ?? null

/** A lock that a statement takes and its transaction keeps. */
export interface Lock {
  readonly relation: RangeVar
  readonly mode: LockMode
}

const locks = (mode: LockMode, ...relations: readonly (RangeVar | undefined)[]): Lock[] =>
  relations.flatMap((relation) => (relation ? [{ relation, mode }] : []))

/** What runs beside readers and writers when it is told to. */
const gentle = (isGentle: boolean | undefined, otherwise: LockMode): LockMode =>
  isGentle ? 'SHARE UPDATE EXCLUSIVE' : otherwise

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
      return locks(gentle(node.concurrent, 'SHARE'), node.relation)
    case 'ReindexStmt':
      return locks(gentle(isOn(node.params, 'concurrently'), 'SHARE'), node.relation)
    case 'DropStmt':
      return dropLocks(node.objects ?? [], node.removeType ?? '', node.concurrent)
    case 'TruncateStmt':
      return locks('ACCESS EXCLUSIVE', ...bodies(node.relations, 'RangeVar'))
    case 'VacuumStmt': {
      const mode = gentle(!isOn(node.options, 'full'), 'ACCESS EXCLUSIVE')
      return bodies(node.rels, 'VacuumRelation').flatMap(({ relation }) => locks(mode, relation))
    }
    case 'LockStmt': {
      const mode = MODES[(node.mode ?? MODES.length) - 1] ?? 'ACCESS EXCLUSIVE'
      return locks(mode, ...bodies(node.relations, 'RangeVar'))
    }
    case 'RefreshMatViewStmt':
      return locks(node.concurrent ? 'EXCLUSIVE' : 'ACCESS EXCLUSIVE', node.relation)
    case 'CreateTrigStmt':
      return locks('SHARE ROW EXCLUSIVE', node.relation)
    case 'CreatePolicyStmt':
    case 'AlterPolicyStmt':
      return locks('ACCESS EXCLUSIVE', node.table)
    case 'RenameStmt':
      return locks(gentle(node.renameType === 'OBJECT_INDEX', 'ACCESS EXCLUSIVE'), node.relation)
    case 'ClusterStmt':
    case 'RuleStmt':
    case 'AlterObjectSchemaStmt':
      return locks('ACCESS EXCLUSIVE', node.relation)
    case 'CreateStmt':
      return createTableLocks(statement)
    default:
      return locks('ROW EXCLUSIVE', ...writtenRelations(statement))
  }
}

function alterTableLocks(statement: ScriptStatement): Lock[] {
  const referenced = [
    ...addedConstraints(statement).map(({ constraint }) => constraint),
    ...addedColumns(statement).flatMap(({ constraints }) => constraints),
  ].map(({ pktable }) => pktable)
  const changes = alterations(statement)
  const mode = strongest(changes.map(({ command }) => alterationMode(command)))
  const partitions = changes.map(({ command }) => body(command.def, 'PartitionCmd')?.name)
  return [
    ...(mode ? locks(mode, changes[0]?.table) : []),
    ...locks('SHARE ROW EXCLUSIVE', ...referenced),
    ...locks('ACCESS EXCLUSIVE', ...partitions),
  ]
}

const GENTLE =
  /^AT_(ValidateConstraint|SetStatistics|(Set|Reset)(Rel)?Options|ClusterOn|DropCluster|AttachPartition|DetachPartitionFinalize)$/
const TRIGGERS = /^AT_(Enable|Disable)(Always|Replica)?Trig(All|User)?$/

/** What ALTER TABLE does under less than ACCESS EXCLUSIVE. */
function alterationMode({ subtype = 'AT_AddColumn', def }: AlterTableCmd): LockMode {
  const isForeignKey = body(def, 'Constraint')?.contype === 'CONSTR_FOREIGN'
  if (TRIGGERS.test(subtype) || (subtype === 'AT_AddConstraint' && isForeignKey)) {
    return 'SHARE ROW EXCLUSIVE'
  }
  const isGentle = GENTLE.test(subtype) || body(def, 'PartitionCmd')?.concurrent
  return gentle(isGentle, 'ACCESS EXCLUSIVE')
}

/** Triggers, policies and rules are named after their table, whose lock they take. */
function dropLocks(objects: readonly Node[], type: string, isConcurrent = false): Lock[] {
  const isPart = /^OBJECT_(TRIGGER|POLICY|RULE)$/.test(type)
  if (!isPart && !/^OBJECT_(TABLE|INDEX|VIEW|MATVIEW|SEQUENCE|FOREIGN_TABLE)$/.test(type)) return []
  const owners = objects.map((object) => {
    const items = body(object, 'List')?.items
    return nameOf(isPart && items ? { List: { items: items.slice(0, -1) } } : object)
  })
  return locks(gentle(isConcurrent, 'ACCESS EXCLUSIVE'), ...owners)
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
    ...locks(gentle(!partbound, 'ACCESS EXCLUSIVE'), ...bodies(inhRelations, 'RangeVar')),
  ]
}

/** The tables whose rows a statement writes, wherever in it. */
const writtenRelations = (statement: ScriptStatement): RangeVar[] =>
  nodesIn(statement).flatMap(({ kind, node }) => {
    const writes = kind === 'InsertStmt' || kind === 'UpdateStmt' || kind === 'DeleteStmt'
    if (writes || kind === 'MergeStmt') return node.relation ?? []
    return kind === 'CopyStmt' && node.is_from ? (node.relation ?? []) : []
  })
