import { body, type Node, nodesOf } from '../../../platform/sql-parser/syntax.js'
import { quoted } from './relation-name.js'
import { manual, type Rule, squawkDocs } from './rule.js'
import { alterations, dropped } from './tree.js'

/** Nobody misses a table that the same script made, such as a scratch table. */
export const dropTable: Rule = {
  name: 'ban-drop-table',
  severity: 'block',
  destructive: true,
  what: 'the table is dropped with its rows.',
  safeWay:
    'Stop using it, rename it in a migration of its own, back it up; drop it when nobody missed it.',
  docs: squawkDocs('ban-drop-table'),
  check: (statement, script) =>
    dropped(statement, 'OBJECT_TABLE')
      .filter((table) => !script.isNew(script.resolve(table)))
      .map((table) => script.hit(table)),
}

export const dropColumn: Rule = {
  name: 'ban-drop-column',
  severity: 'block',
  destructive: true,
  what: 'the column is dropped with its values.',
  safeWay:
    'Stop reading and writing it in a release before; copy what may be needed; then drop it.',
  docs: squawkDocs('ban-drop-column'),
  check: (statement, script) =>
    alterations(statement)
      .filter(({ command }) => command.subtype === 'AT_DropColumn')
      .filter(({ table }) => !script.isNew(script.resolve(table)))
      .map(({ table, command }) => script.hit(table, quoted(command.name ?? ''))),
}

/** Even without CASCADE: an empty schema carries rights that are lost with it. */
export const dropSchema: Rule = {
  name: 'drop-schema',
  severity: 'block',
  destructive: true,
  what: 'the schema is dropped, with CASCADE whatever it holds.',
  safeWay: 'Drop its objects one by one, each seen by a reviewer, and the empty schema last.',
  docs: manual('sql-dropschema'),
  check: (statement) =>
    dropped(statement, 'OBJECT_SCHEMA').map(({ relname = '' }) => ({
      subject: quoted(relname),
      on: [],
    })),
}

/** A sequence that starts again gives numbers twice. */
export const dropSequence: Rule = {
  name: 'drop-sequence',
  severity: 'block',
  destructive: true,
  what: 'the sequence is dropped with its position.',
  safeWay: 'Note its last value first, and that no column defaults to it.',
  docs: manual('sql-dropsequence'),
  check: (statement, script) =>
    dropped(statement, 'OBJECT_SEQUENCE').map((sequence) => script.hit(sequence)),
}

export const truncate: Rule = {
  name: 'truncate',
  severity: 'block',
  destructive: true,
  what: 'TRUNCATE deletes every row, and with CASCADE those of all tables that refer to it.',
  safeWay: 'Back the rows up, or delete them in batches with a condition.',
  docs: squawkDocs('ban-truncate-cascade'),
  check: (statement, script) =>
    statement.kind === 'TruncateStmt'
      ? (statement.node.relations ?? [])
          .flatMap((relation) => body(relation, 'RangeVar') ?? [])
          .filter((table) => !script.isNew(script.resolve(table)))
          .map((table) => script.hit(table))
      : [],
}

export const deleteWithoutWhere: Rule = {
  name: 'delete-without-where',
  severity: 'block',
  destructive: true,
  what: 'DELETE without a condition deletes every row.',
  safeWay: 'Say which rows, and delete them in batches.',
  docs: manual('sql-delete'),
  check: (statement, script) =>
    [...nodesOf(statement)]
      .flatMap(({ kind, node }) =>
        kind === 'DeleteStmt' && isAlways(node.whereClause) ? (node.relation ?? []) : [],
      )
      .filter((table) => !script.isNew(script.resolve(table)))
      .map((table) => script.hit(table)),
}

export const updateWithoutWhere: Rule = {
  name: 'update-without-where',
  severity: 'block',
  destructive: true,
  what: 'UPDATE without a condition overwrites every row.',
  safeWay: 'Say which rows, and update them in batches.',
  docs: manual('sql-update'),
  check: (statement, script) =>
    [...nodesOf(statement)]
      .flatMap(({ kind, node }) =>
        kind === 'UpdateStmt' && isAlways(node.whereClause) ? (node.relation ?? []) : [],
      )
      .filter((table) => !script.isNew(script.resolve(table)))
      .map((table) => script.hit(table)),
}

/** What CASCADE takes along is in the database and not in the file. */
export const dropCascade: Rule = {
  name: 'drop-cascade',
  severity: 'block',
  destructive: true,
  what: 'CASCADE drops whatever depends on it, unnamed.',
  safeWay: 'Drop what depends on it by name first, then this without CASCADE.',
  docs: manual('ddl-depend'),
  check: (statement, script) => {
    if (statement.kind === 'DropStmt' && statement.node.behavior === 'DROP_CASCADE') {
      const type = (statement.node.removeType ?? '').replace('OBJECT_', '').toLowerCase()
      return [{ subject: `DROP ${type.toUpperCase().replaceAll('_', ' ')}`, on: [] }]
    }
    return alterations(statement)
      .filter(({ command }) => command.behavior === 'DROP_CASCADE')
      .map(({ table, command }) => script.hit(table, quoted(command.name ?? '')))
  },
}

/** A condition that is none: absent, `true`, `1 = 1`. */
function isAlways(where: Node | undefined): boolean {
  if (!where) return true
  if (body(where, 'A_Const')?.boolval?.boolval) return true
  const comparison = body(where, 'A_Expr')
  const [left, right] = [comparison?.lexpr, comparison?.rexpr].map((side) => constant(side))
  return left !== null && left === right
}

const constant = (node: Node | undefined): string | null => {
  const value = body(node, 'A_Const')
  return value ? JSON.stringify({ ...value, location: 0 }) : null
}
