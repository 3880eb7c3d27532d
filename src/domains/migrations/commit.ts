import { setTimeout as delay } from 'node:timers/promises'
import { AppError } from '../../errors.js'
import type { DirectSession } from '../../platform/postgres/direct.js'
import { isConnectionLoss, sqlState } from '../../platform/postgres/errors.js'
import { type Author, recordFact } from './recording.js'
import type { RunContext, ScriptTask } from './run-context.js'
import { digestOfFirst } from './script.js'
import * as ledger from './sql.js'

/** A commit of a runner that died is decided as soon as its backend notices. */
const WAIT_MS = 60_000
const POLL_MS = 50
/** SQLSTATE of `pg_xact_status` for an id that was never handed out. */
const IN_THE_FUTURE = '22023'

/**
 * Commits the statements of a script up to one of them. The login of scripts has no rights on the ledger,
 * so the record is another transaction: the ledger names the transaction before it is committed, and
 * PostgreSQL knows what became of it, whoever dies in between.
 *
 * @param begun writes the row that the script is under way, where there may be none yet
 */
export async function commitUpTo(
  context: RunContext,
  task: ScriptTask,
  upTo: { readonly statement: number; readonly transactionId: string },
  begun: () => Promise<void>,
): Promise<void> {
  const { version, script } = task
  const digest = digestOfFirst(script, upTo.statement)
  await inTransaction(context.ledger, async () => {
    await begun()
    await context.ledger.many(ledger.recordCommitting(version, { ...upTo, digest }))
    await context.ledger.many(ledger.recordMarks(version, context.proof))
  })
  try {
    const tag = await context.session.command('commit')
    // https://www.postgresql.org/docs/current/sql-commit.html: a failed transaction answers ROLLBACK.
    if (tag !== 'COMMIT') throw new Error(`a transaction of a migration ended with ${tag}`)
  } catch (error) {
    if (isConnectionLoss(error) && (await hasCommitted(context.ledger, upTo.transactionId))) return
    await context.ledger.many(ledger.recordAborted(version))
    throw error
  }
}

/** Makes changes of the ledger that belong together. */
export async function inTransaction(
  session: DirectSession,
  work: () => Promise<void>,
): Promise<void> {
  await session.command('begin')
  try {
    await work()
    await session.command('commit')
  } catch (error) {
    // On a lost connection PostgreSQL has done so already.
    await session.command('rollback').catch(() => {})
    throw error
  }
}

/**
 * Writes down what became of transactions whose runner went away while it committed; true when there
 * were any. Only the runner of the database may do so.
 */
export async function settleRows(
  author: Author,
  rows: readonly ledger.LedgerRow[],
): Promise<boolean> {
  const open = rows.filter(({ commit_xid }) => commit_xid !== null)
  for (const row of open) await settleRow(author, row)
  return open.length > 0
}

async function settleRow({ session, ...author }: Author, row: ledger.LedgerRow): Promise<void> {
  const { version, name, direction, checksum, commit_xid } = row
  if (!(await hasCommitted(session, commit_xid ?? ''))) {
    await session.many(ledger.recordAborted(version))
    return
  }
  await inTransaction(session, async () => {
    await session.many(ledger.recordCommitted(version))
    if (row.statements_started < row.statements_total) return
    const isUp = direction === 'up'
    await session.many(isUp ? ledger.recordFinished(version) : ledger.removeMigration(version))
    const actor = { by: row.applied_by, requestId: null }
    const note = 'its runner went away once it was committed'
    const fact = { version, name, direction, checksum, note, durationMs: 0, script: null }
    await recordFact({ session, ...author, actor }, fact)
  })
}

async function hasCommitted(session: DirectSession, transactionId: string): Promise<boolean> {
  const deadline = Date.now() + WAIT_MS
  for (;;) {
    const status = await statusOf(session, transactionId)
    if (status !== 'in progress') return status === 'committed'
    if (Date.now() > deadline) throw stillCommitting()
    await delay(POLL_MS)
  }
}

async function statusOf(session: DirectSession, transactionId: string): Promise<string | null> {
  try {
    const [row] = await session.many(ledger.transactionStatus(transactionId))
    return row?.status ?? null
  } catch (error) {
    if (sqlState(error) === IN_THE_FUTURE) return null
    throw error
  }
}

const stillCommitting = (): AppError =>
  new AppError('conflict', 'An earlier runner has been committing a migration for a minute.', {
    hint: 'Look at pg_stat_activity (catalyst://db/performance/connections), then run the same again.',
    retryable: true,
  })
