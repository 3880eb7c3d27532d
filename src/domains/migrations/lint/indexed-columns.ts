import {
  bodies,
  type Constraint,
  type RangeVar,
  type ScriptStatement,
} from '../../../platform/sql-parser/syntax.js'
import { partsOf } from './relation-name.js'
import { addedConstraints, has, newColumns } from './tree.js'

/** A column and its table. */
export interface TableColumn {
  readonly table: RangeVar
  readonly column: string
}

/** The columns that an index of a statement, or of a key in it, begins with. */
export function leadingColumns(statement: ScriptStatement): TableColumn[] {
  const { kind, node } = statement
  if (kind === 'IndexStmt') {
    const [first] = bodies(node.indexParams, 'IndexElem')
    return [{ table: node.relation ?? {}, column: first?.name ?? '' }]
  }
  const atColumns = newColumns(statement)
    .filter(({ constraints }) => has(constraints, 'CONSTR_PRIMARY', 'CONSTR_UNIQUE'))
    .map(({ table, column }) => ({ table, column: column.colname ?? '' }))
  const atTable = tableConstraints(statement).flatMap(({ table, constraint }) =>
    partsOf(constraint.keys)
      .slice(0, 1)
      .map((column) => ({ table, column })),
  )
  return [...atColumns, ...atTable]
}

/** The first columns of the foreign keys of a new table. */
export function foreignKeyColumns(statement: ScriptStatement): TableColumn[] {
  if (statement.kind !== 'CreateStmt') return []
  const atColumns = newColumns(statement)
    .filter(({ constraints }) => has(constraints, 'CONSTR_FOREIGN'))
    .map(({ table, column }) => ({ table, column: column.colname ?? '' }))
  const atTable = tableConstraints(statement).flatMap(({ table, constraint }) =>
    partsOf(constraint.fk_attrs)
      .slice(0, 1)
      .map((column) => ({ table, column })),
  )
  return [...atColumns, ...atTable]
}

const tableConstraints = (
  statement: ScriptStatement,
): { readonly table: RangeVar; readonly constraint: Constraint }[] =>
  statement.kind === 'CreateStmt'
    ? bodies(statement.node.tableElts, 'Constraint').map((constraint) => ({
        table: statement.node.relation ?? {},
        constraint,
      }))
    : addedConstraints(statement)
