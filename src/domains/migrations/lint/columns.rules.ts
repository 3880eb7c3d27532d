import { body, type Node, nodesOf, untag } from '../../../platform/sql-parser/syntax.js'
import { partsOf } from './relation-name.js'
import { manual, type Rule, squawkDocs } from './rule.js'
import { addedColumns, alterations, has, isSerial, typeOf } from './tree.js'

/** Fails on the first existing row, whatever the size of the table. */
export const addRequiredColumn: Rule = {
  name: 'adding-required-field',
  severity: 'block',
  harmlessOn: 'new tables',
  what: 'the column must not be null and has no default, so that it cannot be added to existing rows.',
  safeWay: 'Add it without NOT NULL or with a default; fill it; then set NOT NULL.',
  docs: squawkDocs('adding-required-field'),
  check: (statement, script) =>
    addedColumns(statement)
      .filter(({ constraints }) => has(constraints, 'CONSTR_NOTNULL'))
      .filter(({ constraints }) => !has(constraints, ...FILLED))
      .filter(({ column }) => !isSerial(column))
      .map(script.columnHit),
}

export const volatileDefault: Rule = {
  name: 'adding-field-with-default',
  severity: 'block',
  harmlessOn: 'small tables',
  what: 'the default is counted for each row, so that reads and writes wait until all are rewritten.',
  safeWay:
    'Add the column without a default, set the default after it, and fill the old rows in batches.',
  docs: squawkDocs('adding-field-with-default'),
  check: (statement, script) =>
    addedColumns(statement)
      .filter(({ constraints }) =>
        constraints.some(
          ({ contype, raw_expr }) => contype === 'CONSTR_DEFAULT' && isVolatile(raw_expr),
        ),
      )
      .map(script.columnHit),
}

export const storedColumn: Rule = {
  name: 'adding-stored-column',
  severity: 'block',
  harmlessOn: 'small tables',
  what: 'the value is counted for each row, so that reads and writes wait until all are rewritten.',
  safeWay: 'Make it VIRTUAL, or a plain column filled in batches.',
  docs: manual('ddl-generated-columns'),
  check: (statement, script) =>
    addedColumns(statement)
      .filter(({ constraints }) => constraints.some(({ generated_kind }) => generated_kind === 's'))
      .map(script.columnHit),
}

export const addSerialKey: Rule = {
  name: 'adding-serial-primary-key-field',
  severity: 'block',
  harmlessOn: 'small tables',
  what: 'every row is numbered or indexed, so that reads and writes wait until all are.',
  safeWay:
    'Add a plain column, fill it in batches, index it CONCURRENTLY, and add the key USING INDEX.',
  docs: squawkDocs('adding-serial-primary-key-field'),
  check: (statement, script) =>
    addedColumns(statement)
      .filter(
        ({ column, constraints }) =>
          isSerial(column) || has(constraints, 'CONSTR_IDENTITY', 'CONSTR_PRIMARY'),
      )
      .map(script.columnHit),
}

export const changeType: Rule = {
  name: 'changing-column-type',
  severity: 'block',
  harmlessOn: 'small tables',
  what: 'reads and writes wait until every row is rewritten, and clients meet another type.',
  safeWay: 'Add a column of the new type, write both, fill the old rows in batches, then switch.',
  docs: squawkDocs('changing-column-type'),
  check: (statement, script) =>
    alterations(statement, 'AT_AlterColumnType')
      .filter(({ command }) => !isWidening(command.def))
      .map(script.commandHit),
}

export const widenType: Rule = {
  name: 'widening-column-type',
  severity: 'warn',
  harmlessOn: 'small tables',
  what: 'without a rewrite if the column is a shorter text or numeric; from any other type it rewrites every row.',
  safeWay: 'Look at the type the column has now.',
  docs: manual('sql-altertable'),
  check: (statement, script) =>
    alterations(statement, 'AT_AlterColumnType')
      .filter(({ command }) => isWidening(command.def))
      .map(script.commandHit),
}

const FILLED = ['CONSTR_DEFAULT', 'CONSTR_IDENTITY', 'CONSTR_GENERATED'] as const

/** Functions that PostgreSQL runs once for the whole statement; any other may be volatile. */
const STABLE = new Set([
  'now',
  'statement_timestamp',
  'transaction_timestamp',
  'current_setting',
  'date_trunc',
  'jsonb_build_object',
  'jsonb_build_array',
  'to_jsonb',
  'make_interval',
  'make_date',
  'lower',
  'upper',
])

const isVolatile = (expression: Node | undefined): boolean =>
  expression !== undefined &&
  [...nodesOf(untag(expression))].some(
    ({ kind, node }) => kind === 'FuncCall' && !STABLE.has(partsOf(node.funcname).at(-1) ?? ''),
  )

/** To text, varchar or numeric without a limit and without USING. */
function isWidening(node: Node | undefined): boolean {
  const { typeName, raw_default } = body(node, 'ColumnDef') ?? {}
  return (
    !raw_default && !typeName?.typmods && ['text', 'varchar', 'numeric'].includes(typeOf(typeName))
  )
}
