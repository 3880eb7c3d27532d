import { type AnyNode, bodies, type Kind, nodesOf, type ScriptStatement } from './syntax.js'
import { alterations } from './tree.js'

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

/** Statements that may do anything, also to rows, which would then be done twice. */
const OPAQUE: ReadonlySet<Kind> = new Set<Kind>(['DoStmt', 'CallStmt'])

/**
 * Whether running a schema change again, at its place in the log, comes to the same: not where it fills rows
 * with what a function answers at that moment (`volatile`), nor where nobody can say what it does (`opaque`).
 */
export function replayOf(statement: ScriptStatement): 'again' | 'opaque' | 'volatile' {
  if (OPAQUE.has(statement.kind)) return 'opaque'
  const fills = alterations(statement, 'AT_AddColumn', 'AT_AlterColumnType').some(({ command }) =>
    bodies(command.def ? [command.def] : [], 'ColumnDef').some(
      ({ typeName, constraints, raw_default }) => {
        const defaults = bodies(constraints, 'Constraint')
        const values = defaults.flatMap(({ contype, raw_expr }) =>
          contype === 'CONSTR_DEFAULT' && raw_expr ? [raw_expr] : [],
        )
        const isNumbered =
          defaults.some(({ contype }) => contype === 'CONSTR_IDENTITY') ||
          bodies(typeName?.names, 'String').some(({ sval }) => /serial/i.test(sval ?? ''))
        return isNumbered || [...values, ...(raw_default ? [raw_default] : [])].some(asksFunction)
      },
    ),
  )
  return fills ? 'volatile' : 'again'
}

/** An expression whose value may be another one at another moment. */
function asksFunction(expression: object): boolean {
  const [[kind, node] = []] = Object.entries(expression)
  // The parser writes exactly one key, and under it the fields of that kind.
  const nodes = nodesOf({ kind, node } as AnyNode)
  return [...nodes].some(({ kind }) => kind === 'FuncCall' || kind === 'SQLValueFunction')
}

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
