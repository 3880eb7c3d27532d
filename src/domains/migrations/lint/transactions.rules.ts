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
