import { body, type ScriptStatement } from '../../../platform/sql-parser/syntax.js'
import { locksOf } from './locks.js'
import { keyOf, quoted } from './relation-name.js'
import { manual, type Rule, squawkDocs } from './rule.js'
import { transactionless } from './transactionless.js'

/** The runner opens and ends the transactions; a file that does it too ends the runner's. */
export const transactionNesting: Rule = {
  name: 'transaction-nesting',
  severity: 'error',
  what: 'the runner decides where transactions begin and end.',
  safeWay:
    'Remove it: every file is one transaction. For none, write "-- transaction: none" at the top.',
  docs: squawkDocs('transaction-nesting'),
  check: (statement) =>
    statement.kind === 'TransactionStmt'
      ? [{ subject: word(statement.node.kind ?? ''), on: [] }]
      : [],
}

const word = (kind: string): string => kind.replace('TRANS_STMT_', '').replaceAll('_', ' ')

/** PostgreSQL refuses it with 25001, after the statements before it have run. */
export const concurrentInTransaction: Rule = {
  name: 'concurrent-in-transaction',
  severity: 'error',
  what: 'cannot run inside of a transaction.',
  safeWay: 'Put it into a file of its own with "-- transaction: none" at the top.',
  docs: manual('sql-createindex'),
  check: (statement, { context }) => {
    const subject = transactionless(statement)
    return context.isTransactional && subject ? [{ subject, on: [] }] : []
  },
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

/** It outlives the migration, in whose session the next ones run. */
export const sessionSetting: Rule = {
  name: 'session-setting',
  severity: 'warn',
  what: 'the setting is kept for the migrations after this one.',
  safeWay: 'SET LOCAL, or "-- lock_timeout:" and "-- statement_timeout:" at the top.',
  docs: manual('sql-set'),
  check: ({ kind, node }) =>
    kind === 'VariableSetStmt' && !node.is_local && node.name
      ? [{ subject: quoted(node.name), on: [] }]
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
