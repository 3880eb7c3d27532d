import { body, type ScriptStatement } from '../../../platform/sql-parser/syntax.js'
import { PINNED } from '../pinned-settings.js'
import { locksOf } from './locks.js'
import { keyOf, quoted } from './relation-name.js'
import { manual, type Rule, squawkDocs } from './rule.js'

/** The runner waits for its data on no input, so that it would wait for ever. */
export const copyStdin: Rule = {
  name: 'copy-stdin',
  severity: 'error',
  what: 'a migration has no input or output to copy from or to.',
  safeWay: 'Write the rows as INSERT, or load them with COPY outside of migrations.',
  docs: manual('sql-copy'),
  check: ({ kind, node }) =>
    kind === 'CopyStmt' && !node.filename ? [{ subject: 'COPY', on: [] }] : [],
}

/** Rows are slow and locks are not: the lock waits for the rows. */
export const backfill: Rule = {
  name: 'backfill-with-ddl',
  severity: 'warn',
  harmlessOn: 'small tables',
  what: 'its rows are written while the transaction keeps everybody out of a table it altered.',
  safeWay: 'Fill rows in a migration of their own, in batches.',
  docs: manual('explicit-locking'),
  check: (statement, script) =>
    script.context.isTransactional && script.exclusive.size > 0 && writesMany(statement)
      ? locksOf(statement).map(({ relation }) => script.hit(relation))
      : [],
}

const writesMany = ({ kind, node }: ScriptStatement): boolean =>
  kind === 'UpdateStmt' ||
  kind === 'DeleteStmt' ||
  kind === 'MergeStmt' ||
  (kind === 'InsertStmt' && !body(node.selectStmt, 'SelectStmt')?.valuesLists)

/** Two tables in one order here and in another order elsewhere are a deadlock. */
export const severalExclusive: Rule = {
  name: 'several-exclusive-locks',
  severity: 'warn',
  harmlessOn: 'small tables',
  what: 'a second table is kept from everybody until the end of the transaction.',
  safeWay: 'One table for each migration.',
  docs: manual('explicit-locking'),
  check: (statement, script) => {
    if (!script.context.isTransactional || script.exclusive.size !== 1) return []
    return script
      .existing(
        locksOf(statement)
          .filter(({ mode }) => mode === 'ACCESS EXCLUSIVE')
          .map(({ relation }) => relation),
      )
      .filter(({ on }) => !on.some((name) => script.exclusive.has(keyOf(name))))
  },
}

/** A file without a transaction is run again from where it failed. */
export const robust: Rule = {
  name: 'prefer-robust-stmts',
  severity: 'warn',
  what: 'without a transaction it may have to run twice, and fails the second time.',
  safeWay: 'Add IF NOT EXISTS or IF EXISTS.',
  docs: squawkDocs('prefer-robust-stmts'),
  check: (statement, { context }) =>
    !context.isTransactional && isOnce(statement) ? [{ subject: 'statement', on: [] }] : [],
}

const isOnce = ({ kind, node }: ScriptStatement): boolean => {
  switch (kind) {
    case 'IndexStmt':
    case 'CreateStmt':
    case 'CreateTableAsStmt':
    case 'CreateSeqStmt':
    case 'CreateSchemaStmt':
    case 'CreateExtensionStmt':
      return !node.if_not_exists
    case 'DropStmt':
      return !node.missing_ok
    case 'AlterEnumStmt':
      return Boolean(node.newVal) && !node.oldVal && !node.skipIfNewValExists
    default:
      return false
  }
}

/** The runner looks after each statement and ends when one of them is another. */
export const sessionSetting: Rule = {
  name: 'session-setting',
  severity: 'error',
  what: 'the runner decides how scripts are read, and ends when that changes.',
  safeWay:
    'Write schema.name instead of a search_path, and "-- statement_timeout: 10min" at the top for more time.',
  docs: manual('sql-set'),
  check: ({ kind, node }) =>
    kind === 'VariableSetStmt' && PINNED.includes(node.name?.toLowerCase() ?? '')
      ? [{ subject: quoted(node.name ?? ''), on: [] }]
      : [],
}

export const missingDown: Rule = {
  name: 'missing-down-file',
  severity: 'warn',
  what: 'there is no down file, so that it cannot be rolled back.',
  safeWay: 'Write one, or "-- irreversible: why" at the top.',
  docs: null,
  check: ({ index }, { context }) =>
    index === 1 && !context.hasDown ? [{ subject: 'migration', on: [] }] : [],
}
