import { setTimeout as delay } from 'node:timers/promises'
import { AppError } from '../../errors.js'
import { ref } from '../../lib/refs.js'
import type { DirectSession } from '../../platform/postgres/direct.js'
import { sqlState } from '../../platform/postgres/errors.js'
import { insertOutbox } from '../../platform/postgres/outbox.js'
import { changedObjects } from '../../platform/sql-parser/schema-changes.js'
import * as statements from './ledger.sql.js'
import type { FileLosses } from './losses.js'
import type { Script } from './script.js'

/** Who asked: a principal, `cli` or `server start`. */
export interface MigrationActor {
  readonly by: string
  /** The request in the audit log, if there was one. */
  readonly requestId: string | null
}

/** Who writes the ledger, and where. */
export interface Author {
  readonly session: DirectSession
  readonly actor: MigrationActor
  readonly appVersion: string
}

/** The ledger; empty where there is none yet. */
export const readLedger = async (session: DirectSession): Promise<statements.LedgerRow[]> =>
  (await hasLedger(session)) ? session.many(statements.listLedger()) : []

/** The same for who writes it: made when need be, and what an earlier runner did without a word is written down. */
export async function openLedger(author: Author): Promise<statements.LedgerRow[]> {
  const { session } = author
  if (!(await hasLedger(session))) await session.many(statements.createLedger())
  const rows = await session.many(statements.listLedger())
  const open = rows.filter(({ commit_xid }) => commit_xid !== null)
  for (const row of open) await settle(author, row)
  return open.length > 0 ? session.many(statements.listLedger()) : rows
}

/**
 * Whether there is a ledger.
 *
 * @throws AppError `unavailable` when the schema is somebody else's
 */
export async function hasLedger(session: DirectSession): Promise<boolean> {
  const [state] = await session.many(statements.ledgerState())
  if (!state?.is_foreign) return state?.present ?? false
  throw new AppError(
    'unavailable',
    'The schema "catalyst" of this database belongs to something else: it holds objects and no ledger of catalyst-db. Nothing is written into it.',
    {
      hint: 'Give catalyst-db a database of its own, or rename that schema: alter schema catalyst rename to <name>;',
      retryable: false,
    },
  )
}

/** What a plan was last measured to lose; null when it was not measured. */
export async function knownLosses(
  session: DirectSession,
  plan: string,
): Promise<readonly FileLosses[] | null> {
  if (!(await hasLedger(session))) return null
  const [row] = await session.many(statements.findLosses(plan))
  return row?.losses ?? null
}

/** Makes changes of the ledger that belong together. */
export async function inTransaction<T>(session: DirectSession, work: () => Promise<T>): Promise<T> {
  await session.command('begin')
  try {
    const done = await work()
    await session.command('commit')
    return done
  } catch (error) {
    // On a lost connection PostgreSQL has done so already.
    await session.command('rollback').catch(() => {})
    throw error
  }
}

/** What was done to one migration. */
interface Fact
  extends Pick<
    statements.LogEntry,
    'version' | 'name' | 'direction' | 'checksum' | 'durationMs' | 'note'
  > {
  /** What was run; null when only the ledger changed. */
  readonly script: Script | null
}

/** So many names say enough of a change; the file says the rest. */
const MAX_OBJECTS = 50

/** Writes log and events of a fact, in the transaction that makes it. */
export async function recordFact(
  { session, actor, appVersion }: Author,
  { script, ...fact }: Fact,
): Promise<void> {
  const { version, name, direction, durationMs } = fact
  const [log] = await session.many(statements.appendLog({ ...fact, ...actor, appVersion }))
  if (!log?.has_outbox) return
  const refs = [ref('migration', version)]
  const event = { version, name, direction, duration_ms: durationMs, by: actor.by, refs }
  await session.many(insertOutbox('migration.applied', event))
  const changed = script ? changedObjects(script.steps.map(({ statement }) => statement)) : []
  if (changed.length === 0) return
  const objects = changed.slice(0, MAX_OBJECTS)
  const about = { version, objects, refs: objects.map((object) => ref('schema_object', object)) }
  await session.many(insertOutbox('db.schema.changed', about))
}

/** Writes down what became of a transaction whose runner went away while it committed. */
async function settle({ session, ...author }: Author, row: statements.LedgerRow): Promise<void> {
  const { version, name, direction, checksum, commit_xid } = row
  if (!(await hasCommitted(session, commit_xid ?? ''))) {
    await session.many(statements.recordAborted(version))
    return
  }
  await inTransaction(session, async () => {
    await session.many(statements.recordCommitted(version))
    if (row.statements_started < row.statements_total) return
    const { recordApplied, removeMigration } = statements
    await session.many(direction === 'up' ? recordApplied(version, 0) : removeMigration(version))
    const actor = { by: row.applied_by, requestId: null }
    const note = 'its runner went away once it was committed'
    const fact = { version, name, direction, checksum, note, durationMs: 0, script: null }
    await recordFact({ session, ...author, actor }, fact)
  })
}

/** A commit of a runner that died is decided as soon as its backend notices. */
const WAIT_MS = 60_000
const POLL_MS = 50
/** SQLSTATE of `pg_xact_status` for an id that was never handed out. */
const IN_THE_FUTURE = '22023'

/** Whether a transaction was committed, once that is decided. */
export async function hasCommitted(
  session: DirectSession,
  transactionId: string,
): Promise<boolean> {
  const deadline = Date.now() + WAIT_MS
  for (;;) {
    const [row] = await session
      .many(statements.transactionStatus(transactionId))
      .catch((error: unknown) => {
        if (sqlState(error) === IN_THE_FUTURE) return []
        throw error
      })
    if (row?.status !== 'in progress') return row?.status === 'committed'
    if (Date.now() > deadline) break
    await delay(POLL_MS)
  }
  throw new AppError(
    'conflict',
    'An earlier runner has been committing a migration for a minute.',
    {
      hint: 'Look at pg_stat_activity (catalyst://db/performance/connections), then run the same again.',
      retryable: true,
    },
  )
}
