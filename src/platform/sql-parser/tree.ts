import {
  type AlterTableCmd,
  type AnyNode,
  bodies,
  body,
  type ColumnDef,
  type Constraint,
  type DefElem,
  type Node,
  nodesOf,
  type RangeVar,
  type ScriptStatement,
  type TypeName,
} from './syntax.js'

/** A table, index, view or sequence. */
export interface RelationName {
  readonly schema: string
  readonly name: string
}

/** The schema of what `create temporary` makes, which an unqualified name finds first. */
export const TEMPORARY = 'pg_temp'

/** How relations are found in maps: `schema.name`, unquoted. */
export const keyOf = ({ schema, name }: RelationName): string => `${schema}.${name}`

/** How a relation is written in a message. */
export const shown = ({ schema, name }: RelationName): string => `${quoted(schema)}.${quoted(name)}`

/** An identifier as it is safe to print: quoted where it must be, without control characters. */
export function quoted(identifier: string): string {
  const plain = identifier.replaceAll(/\p{C}/gu, '?')
  return /^[a-z_][a-z0-9_$]*$/.test(plain) ? plain : `"${plain.replaceAll('"', '""')}"`
}

/** The parts of a qualified name, as lists of strings or lists of lists give it. */
export const partsOf = (nodes: readonly Node[] | undefined): string[] =>
  bodies(nodes, 'String').flatMap(({ sval }) => sval ?? '')

/** A relation where it is given by the parts of its name, the last ones first to be believed. */
function rangeOf(parts: readonly string[]): RangeVar {
  const [relname, schemaname] = parts.toReversed()
  return {
    ...(relname === undefined ? {} : { relname }),
    ...(schemaname === undefined ? {} : { schemaname }),
  }
}

/** One change that an ALTER TABLE makes. */
export interface Alteration {
  readonly table: RangeVar
  readonly command: AlterTableCmd
}

let latest: { readonly statement: ScriptStatement; readonly nodes: readonly AnyNode[] } | null =
  null

/** Every node inside of a statement, kept until another is asked for: most rules ask. */
export function nodesIn(statement: ScriptStatement): readonly AnyNode[] {
  if (latest?.statement !== statement) latest = { statement, nodes: [...nodesOf(statement)] }
  return latest.nodes
}

type Subtype = NonNullable<AlterTableCmd['subtype']>

/** The changes of an ALTER TABLE, all or those of some kinds; none of any other statement. */
export function alterations(statement: ScriptStatement, ...subtypes: Subtype[]): Alteration[] {
  if (statement.kind !== 'AlterTableStmt') return []
  const { relation = {}, cmds } = statement.node
  return bodies(cmds, 'AlterTableCmd')
    .filter(({ subtype }) => !subtypes[0] || (subtype && subtypes.includes(subtype)))
    .map((command) => ({ table: relation, command }))
}

/** A column with the constraints written at it, and its table. */
export interface NewColumn {
  readonly table: RangeVar
  readonly column: ColumnDef
  readonly constraints: readonly Constraint[]
}

/** The columns that an ALTER TABLE adds. */
export const addedColumns = (statement: ScriptStatement): NewColumn[] =>
  alterations(statement, 'AT_AddColumn').flatMap(({ table, command }) => {
    const column = body(command.def, 'ColumnDef')
    return column ? [{ table, column, constraints: bodies(column.constraints, 'Constraint') }] : []
  })

/** The constraints that an ALTER TABLE adds to a table, not those of columns it adds. */
export const addedConstraints = (
  statement: ScriptStatement,
): { readonly table: RangeVar; readonly constraint: Constraint }[] =>
  alterations(statement, 'AT_AddConstraint').flatMap(({ table, command }) => {
    const constraint = body(command.def, 'Constraint')
    return constraint ? [{ table, constraint }] : []
  })

/** The column of which a constraint says, and no more, that it is not null. */
export function notNullColumn({ contype, raw_expr, keys }: Constraint): string | undefined {
  if (contype === 'CONSTR_NOTNULL') return partsOf(keys)[0]
  const test = contype === 'CONSTR_CHECK' ? body(raw_expr, 'NullTest') : undefined
  if (test?.nulltesttype !== 'IS_NOT_NULL') return undefined
  return partsOf(body(test.arg, 'ColumnRef')?.fields).at(-1)
}

/** What a DROP names, as relations. */
export function dropped(statement: ScriptStatement, ...types: readonly string[]): RangeVar[] {
  if (statement.kind !== 'DropStmt' || !types.includes(statement.node.removeType ?? '')) return []
  return (statement.node.objects ?? []).map(nameOf)
}

/** A name in any of the forms in which statements give them. */
export function nameOf(node: Node): RangeVar {
  const single = body(node, 'String')?.sval
  if (single !== undefined) return { relname: single }
  const names =
    body(node, 'List')?.items ??
    body(node, 'TypeName')?.names ??
    body(node, 'ObjectWithArgs')?.objname
  return body(node, 'RangeVar') ?? rangeOf(partsOf(names))
}

/** The option of a statement, such as `full` of VACUUM. */
export const option = (options: readonly Node[] | undefined, name: string): DefElem | undefined =>
  bodies(options, 'DefElem').find(({ defname }) => defname === name)

/** Whether an option is on: `(full)`, `(full true)`, and not `(full off)`. */
export function isOn(options: readonly Node[] | undefined, name: string): boolean {
  const found = option(options, name)
  if (!found) return false
  const word = body(found.arg, 'String')?.sval ?? 'true'
  const isFalse = body(found.arg, 'Boolean') !== undefined && !body(found.arg, 'Boolean')?.boolval
  const isZero = body(found.arg, 'Integer') !== undefined && !body(found.arg, 'Integer')?.ival
  return !isFalse && !isZero && !['false', 'off', '0'].includes(word.toLowerCase())
}

/** The name of a type without its schema, as PostgreSQL calls it inside: `int4`, `varchar`. */
export const typeOf = (type: TypeName | undefined): string => partsOf(type?.names).at(-1) ?? ''

/** What a constraint is. */
export type ConstraintType = NonNullable<Constraint['contype']>

/** Whether one of the constraints is one of the types. */
export const has = (
  constraints: readonly Constraint[],
  ...types: readonly ConstraintType[]
): boolean => constraints.some(({ contype }) => contype && types.includes(contype))

/** Whether the column is an integer with a sequence behind it. */
export const isSerial = ({ typeName }: ColumnDef): boolean =>
  /^(small|big)?serial[248]?$/.test(typeOf(typeName))
