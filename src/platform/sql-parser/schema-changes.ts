import type { Kind, ScriptStatement } from './syntax.js'

/** Statements whose whole effect is in the rows, which logical decoding shows, or ends with the session. */
const NO_SCHEMA_CHANGE: ReadonlySet<Kind> = new Set<Kind>([
  'InsertStmt',
  'UpdateStmt',
  'DeleteStmt',
  'MergeStmt',
  'TruncateStmt',
  'CopyStmt',
  'VariableSetStmt',
  'VariableShowStmt',
  'LockStmt',
  'ExplainStmt',
  'NotifyStmt',
  'VacuumStmt',
  'ConstraintsSetStmt',
  'CheckPointStmt',
])

/** Where the kinds of statements keep the name of what they change. */
const NAMES = [
  'objects',
  'relation',
  'table',
  'view',
  'sequence',
  'into',
  'typevar',
  'domainname',
  'typeName',
  'func',
  'funcname',
  'object',
  'defnames',
  'schemaname',
  'extname',
]

/** True when a restore from row changes alone would miss what the statement does. */
export const changesSchema = (statement: ScriptStatement): boolean =>
  statement.kind === 'SelectStmt'
    ? statement.node.intoClause !== undefined
    : !NO_SCHEMA_CHANGE.has(statement.kind)

/** What the schema changes of a script name: tables, views, types, functions, as they are written. */
export function changedObjects(statements: readonly ScriptStatement[]): string[] {
  const names = statements.filter(changesSchema).flatMap(({ node }) => {
    const field = NAMES.find((name) => Reflect.has(node, name)) ?? ''
    const value: unknown = Reflect.get(node, field)
    return field === 'objects' && Array.isArray(value) ? value.map(nameOf) : [nameOf(value)]
  })
  return [...new Set(names)].filter(Boolean)
}

/** Where a name, or what has one, keeps it. */
const HOLDERS = [
  'List',
  'items',
  'String',
  'sval',
  'RangeVar',
  'ObjectWithArgs',
  'objname',
  'rel',
  'TypeName',
  'names',
]

/** A name is a string, a list of its parts, or something that has one. */
function nameOf(value: unknown): string {
  if (typeof value === 'string') return value
  if (Array.isArray(value)) return value.map(nameOf).filter(Boolean).join('.')
  if (typeof value !== 'object' || value === null) return ''
  if ('relname' in value) return nameOf([Reflect.get(value, 'schemaname'), value.relname])
  const holder = HOLDERS.find((key) => Reflect.has(value, key))
  return holder === undefined ? '' : nameOf(Reflect.get(value, holder))
}
