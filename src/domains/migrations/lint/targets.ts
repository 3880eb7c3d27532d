import {
  bodies,
  body,
  type Node,
  type RangeVar,
  type ScriptStatement,
} from '../../../platform/sql-parser/syntax.js'
import { nameOf, nodesIn } from './tree.js'

/** The tables, views, indexes and sequences that a statement of DDL makes, changes or drops. */
export function changedRelations(statement: ScriptStatement): RangeVar[] {
  const { kind, node } = statement
  switch (kind) {
    case 'AlterTableStmt':
    case 'IndexStmt':
    case 'CreateStmt':
    case 'CreateTrigStmt':
    case 'RuleStmt':
    case 'RenameStmt':
    case 'AlterObjectSchemaStmt':
    case 'AlterOwnerStmt':
      return [node.relation ?? []].flat()
    case 'CreatePolicyStmt':
    case 'AlterPolicyStmt':
      return [node.table ?? []].flat()
    case 'CreateTableAsStmt':
      return [node.into?.rel ?? []].flat()
    case 'SelectStmt':
      return [node.intoClause?.rel ?? []].flat()
    case 'ViewStmt':
      return [node.view ?? []].flat()
    case 'CreateSeqStmt':
    case 'AlterSeqStmt':
      return [node.sequence ?? []].flat()
    case 'TruncateStmt':
      return bodies(node.relations, 'RangeVar')
    case 'GrantStmt':
      return bodies(node.objects, 'RangeVar')
    case 'DropStmt':
      return RELATIONS.test(node.removeType ?? '') ? (node.objects ?? []).map(nameOf) : []
    default:
      return []
  }
}

const RELATIONS = /^OBJECT_(TABLE|INDEX|VIEW|MATVIEW|SEQUENCE|FOREIGN_TABLE)$/

/** The tables whose rows a statement writes, wherever in it. */
export const writtenRelations = (statement: ScriptStatement): RangeVar[] =>
  nodesIn(statement).flatMap(({ kind, node }) => {
    const writes = kind === 'InsertStmt' || kind === 'UpdateStmt' || kind === 'DeleteStmt'
    if (writes || kind === 'MergeStmt') return node.relation ?? []
    return kind === 'CopyStmt' && node.is_from ? (node.relation ?? []) : []
  })

/** Triggers, policies and rules are named after their table. */
function ownerOf(object: Node, type: string): Node {
  const items = body(object, 'List')?.items
  const isPart = ['OBJECT_TRIGGER', 'OBJECT_POLICY', 'OBJECT_RULE'].includes(type)
  return isPart && items ? { List: { items: items.slice(0, -1) } } : object
}

/** The table of a trigger, policy or rule that is dropped. */
export const partOwners = ({ kind, node }: ScriptStatement): RangeVar[] =>
  kind === 'DropStmt' && /^OBJECT_(TRIGGER|POLICY|RULE)$/.test(node.removeType ?? '')
    ? (node.objects ?? []).map((object) => nameOf(ownerOf(object, node.removeType ?? '')))
    : []
