import {
  type Body,
  bodies,
  body,
  type Node,
  type RangeVar,
  type ScriptStatement,
} from '../../../platform/sql-parser/syntax.js'
import { codeRunBy, DESTRUCTIVE_WORDS } from './code.js'
import { quoted } from './relation-name.js'
import { manual, type Rule, squawkDocs } from './rule.js'
import { alterations, dropped, nodesIn } from './tree.js'

/** Nobody misses a table that the same script made, such as a scratch table. */
export const dropTable: Rule = {
  name: 'ban-drop-table',
  severity: 'block',
  destructive: true,
  what: 'the table is dropped with its rows.',
  safeWay:
    'Stop using it, rename it in a migration of its own, back it up; drop it when nobody missed it.',
  docs: squawkDocs('ban-drop-table'),
  check: (statement, script) => script.existing(dropped(statement, 'OBJECT_TABLE')),
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
    alterations(statement, 'AT_DropColumn')
      .filter(({ table }) => !script.isNew(script.resolve(table)))
      .map(script.commandHit),
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
      ? script.existing(bodies(statement.node.relations, 'RangeVar'))
      : [],
}

export const deleteWithoutWhere: Rule = {
  name: 'delete-without-where',
  severity: 'block',
  destructive: true,
  what: 'DELETE without a condition deletes every row.',
  safeWay: 'Say which rows, and delete them in batches.',
  docs: manual('sql-delete'),
  check: (statement, script) => script.existing(unconditional(statement, 'DeleteStmt')),
}

export const updateWithoutWhere: Rule = {
  name: 'update-without-where',
  severity: 'block',
  destructive: true,
  what: 'UPDATE without a condition overwrites every row.',
  safeWay: 'Say which rows, and update them in batches.',
  docs: manual('sql-update'),
  check: (statement, script) => script.existing(unconditional(statement, 'UpdateStmt')),
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
      .map(script.commandHit)
  },
}

export const setUnlogged: Rule = {
  name: 'set-unlogged',
  severity: 'block',
  destructive: true,
  what: 'an unlogged table is emptied by a crash, and is not replicated or backed up.',
  safeWay: 'Keep it logged; load scratch data into a table of its own.',
  docs: manual('sql-createtable'),
  check: (statement, script) =>
    alterations(statement, 'AT_SetUnLogged').map(({ table }) => script.hit(table)),
}

/** With RESTRICT, PostgreSQL refuses to drop a type or function that a column still needs. */
export const dropObject: Rule = {
  name: 'drop-object',
  severity: 'warn',
  what: 'whoever uses it fails from now on.',
  safeWay: 'Release code that no longer uses it first.',
  docs: manual('ddl-depend'),
  check: (statement, script) => script.existing(dropped(statement, ...REPLACEABLE)),
}

const REPLACEABLE = [
  'OBJECT_VIEW',
  'OBJECT_MATVIEW',
  'OBJECT_TYPE',
  'OBJECT_DOMAIN',
  'OBJECT_FUNCTION',
  'OBJECT_PROCEDURE',
  'OBJECT_ROUTINE',
  'OBJECT_AGGREGATE',
  'OBJECT_FOREIGN_TABLE',
  'OBJECT_EXTENSION',
]

export const dropConstraint: Rule = {
  name: 'drop-constraint',
  severity: 'warn',
  harmlessOn: 'new tables',
  what: 'what the constraint kept out can be written from now on.',
  safeWay: 'Add its successor NOT VALID and validate it before dropping it.',
  docs: manual('sql-altertable'),
  check: (statement, script) => alterations(statement, 'AT_DropConstraint').map(script.commandHit),
}

/** What owns nothing afterwards may have owned anything. */
export const dropOwned: Rule = {
  name: 'drop-owned',
  severity: 'block',
  destructive: true,
  what: 'everything the role owns in this database is dropped.',
  safeWay: 'Drop its objects one by one, or hand them over with REASSIGN OWNED.',
  docs: manual('sql-drop-owned'),
  check: ({ kind }) => (kind === 'DropOwnedStmt' ? [{ subject: 'DROP OWNED', on: [] }] : []),
}

/** A parser cannot tell what code does; words can tell what it may do. */
export const destructiveCode: Rule = {
  name: 'destructive-code',
  severity: 'block',
  destructive: true,
  what: 'the code it runs may drop, delete or overwrite; what it does is not checked.',
  safeWay: 'Write the statements plainly, without DO or a function.',
  docs: manual('sql-do'),
  check: (statement, script) =>
    codeRunBy(statement, script).some((code) => DESTRUCTIVE_WORDS.test(code))
      ? [{ subject: 'code', on: [] }]
      : [],
}

/** The tables whose every row a statement changes, wherever in it. */
const unconditional = (
  statement: ScriptStatement,
  which: 'DeleteStmt' | 'UpdateStmt',
): RangeVar[] =>
  nodesIn(statement).flatMap(({ kind, node }) => {
    if (kind === 'MergeStmt')
      return which === 'DeleteStmt' && sweeps(node) ? (node.relation ?? []) : []
    return kind === which && isAlways(node.whereClause) ? (node.relation ?? []) : []
  })

/** A MERGE that deletes what its source does not have: everything, when the source is empty. */
const sweeps = ({ mergeWhenClauses }: Body<'MergeStmt'>): boolean =>
  bodies(mergeWhenClauses, 'MergeWhenClause').some(
    ({ matchKind, commandType, condition }) =>
      matchKind === 'MERGE_WHEN_NOT_MATCHED_BY_SOURCE' &&
      commandType === 'CMD_DELETE' &&
      isAlways(condition),
  )

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
