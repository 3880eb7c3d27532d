import { setTimeout as delay } from 'node:timers/promises'
import type pg from 'pg'
import { AppError } from '../../errors.js'
import type { Endpoint } from './connection.js'
import { isConnectionLoss, sqlState } from './errors.js'
import type { Trace } from './outbox.js'
import type { Connected } from './servers.js'
import { beginText } from './settings.js'
import { type Statement, machinerySql as sql } from './sql.js'
import { TIMELINE } from './standing.js'

/** How long the fate of a transaction whose COMMIT went unanswered is asked for. */
const DEADLINE_MS = 10_000
const POLL_MS = 100
/** SQLSTATE of `pg_xact_status` for an id that has not been assigned. */
const IN_THE_FUTURE = '22023'

/**
 * Whether a transaction whose COMMIT went unanswered has committed. The evidence is the event it
 * wrote: a random id that is there or is not, in whatever history the database goes on. PostgreSQL's
 * record of transaction ids alone would not do: a crash or a failover hands out again the ids that
 * had not reached the disk or the standby, and another transaction's fate would be taken for this
 * one's. That record is only asked whether the transaction is still under way.
 *
 * @throws AppError `outcome_unknown` when the database does not say within the time limit
 */
export async function hasCommitted(
  endpoint: Endpoint,
  trace: Trace | null,
  cause: unknown,
): Promise<boolean> {
  const deadline = Date.now() + DEADLINE_MS
  while (trace !== null && Date.now() < deadline) {
    const answer = await ask(endpoint, trace, deadline - Date.now())
    if (answer !== null) return answer
    await delay(POLL_MS)
  }
  throw outcomeUnknown(cause)
}

/** The answer where nobody can say whether the work was kept. */
export const outcomeUnknown = (cause: unknown, retryable = true): AppError =>
  new AppError('outcome_unknown', 'Whether this was committed could not be found out.', {
    hint: 'Send the same call again with the same idempotency_key: it is then applied exactly once. Without a key, read whether the work is there before repeating it.',
    fix: 'Look whether it is there: "catalyst-db migrate status" for a migration.',
    retryable,
    cause,
  })

/** Null when nobody can say right now. */
async function ask(endpoint: Endpoint, trace: Trace, limitMs: number): Promise<boolean | null> {
  try {
    const connected = await endpoint.servers.connect({ query_timeout: limitMs })
    try {
      if (await isUnderWay(connected, trace)) return null
      const { present } = await one(connected, findTrace(trace))
      if (present) await confirm(connected)
      return present
    } finally {
      connected.client.end().catch(() => {})
    }
  } catch (error) {
    if (isConnectionLoss(error) || error instanceof AppError) return null
    throw error
  }
}

/**
 * Asked before looking for the trace: what has ended by now is either visible to the next statement
 * or will never be. On another timeline it cannot be running.
 */
async function isUnderWay(connected: Connected, trace: Trace): Promise<boolean> {
  const { timeline } = await one(connected, selectTimeline())
  if (timeline !== trace.timeline) return false
  try {
    return (await one(connected, selectStatus(trace))).status === 'in progress'
  } catch (error) {
    // After a crash the id may not have been handed out yet.
    if (sqlState(error) === IN_THE_FUTURE) return false
    throw error
  }
}

/**
 * The commit was on its way when the connection was lost, perhaps to a synchronous standby as well.
 * A commit made after it is answered only once the standby has both.
 */
async function confirm(connected: Connected): Promise<void> {
  const waiting = noteGivenUp(connected.client)
  await one(connected, awaitReplication())
  if (waiting.isGivenUp()) throw outcomeUnknown(null)
}

/** Where PostgreSQL gives up waiting for its standbys and answers COMMIT all the same. */
const GAVE_UP_WAITING = 'SyncRepWaitForLSN'

/** Listens on a connection whether a commit was answered although no standby has confirmed it. */
export function noteGivenUp(client: pg.ClientBase) {
  let isGivenUp = false
  const onNotice = ({ routine }: { readonly routine?: string | undefined }): void => {
    isGivenUp ||= routine === GAVE_UP_WAITING
  }
  client.on('notice', onNotice)
  return { isGivenUp: () => isGivenUp, forget: () => void client.off('notice', onNotice) }
}

/** A write without content, so that the commit of its transaction waits for what every commit waits for. */
export const awaitReplication = () =>
  sql<{ lsn: string }>`select pg_logical_emit_message(true, 'catalyst', '') as lsn`

const selectTimeline = () => sql<{ timeline: number }>`select ${sql.trusted(TIMELINE)} as timeline`

const selectStatus = ({ transaction_id }: Trace) =>
  sql<{ status: string | null }>`select pg_xact_status(${transaction_id}::xid8) as status`

/** One statement, one snapshot: the publisher moves the row from the one table to the other. */
const findTrace = ({ event_id, at }: Trace) =>
  sql<{ present: boolean }>`
    select
      exists (
        select 1
        from catalyst.event_outbox
        where event_id = ${event_id}::uuid
      )
      or exists (
        select 1
        from catalyst.events
        where at = ${at}::timestamptz
          and event_id = ${event_id}::uuid
      ) as present`

/** In a transaction of its own, with limits that are not a default of the role. */
async function one<Row>({ client, standing }: Connected, statement: Statement<Row>): Promise<Row> {
  const { text, values } = statement
  await client.query(beginText({}, standing))
  try {
    const { rows } = await client.query<Row & pg.QueryResultRow>(text, [...values])
    await client.query('commit')
    if (rows[0] !== undefined) return rows[0]
  } catch (error) {
    await client.query('rollback')
    throw error
  }
  throw new Error('a statement that must return a row returned none')
}
