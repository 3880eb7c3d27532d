import pg from 'pg'
import { beginText, type ConnectionKind, type ConnectionSettings, settleText } from './settings.js'
import { OF_MACHINERY } from './sql.js'

/** What a server said of itself when a connection to it was made. */
export interface Standing extends ConnectionKind {
  readonly in_recovery: boolean
  /** The history that its writes continue; null in recovery. Every promotion starts a higher one. */
  readonly timeline: number | null
  /** Of the database, such as `UTF8`. */
  readonly encoding: string
}

const ANSWER_TIMEOUT_MS = 2_000

/** The timeline that a server in read-write mode is writing; any role may ask. */
export const TIMELINE = `('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int`

/**
 * `case` keeps a server in recovery from refusing the function that it cannot answer. A pooler gives
 * its clients process ids of its own making, because the backend changes behind their back.
 */
const standingText = (processId: number): string => `
  select ${OF_MACHINERY}
    pg_is_in_recovery() as in_recovery,
    case when not pg_is_in_recovery() then ${TIMELINE} end as timeline,
    pg_backend_pid() <> ${processId} as is_pooled,
    current_setting('synchronous_commit') = 'off' as is_asynchronous,
    current_setting('server_version_num')::int as version,
    current_setting('server_encoding') as encoding`

/**
 * Asks the server behind a new connection what it is, and sets what a connection of our own needs:
 * one round trip, whose own limits hold whatever the role's defaults are.
 */
export async function settle(
  client: pg.ClientBase,
  settings?: ConnectionSettings,
): Promise<Standing> {
  const processId = Number(Reflect.get(client, 'processID'))
  const limits = { readOnly: true, statementTimeoutMs: ANSWER_TIMEOUT_MS }
  const text = [
    beginText(limits, null),
    standingText(processId),
    settleText(processId, settings),
    'commit',
  ].join('; ')
  const query = { text, query_timeout: ANSWER_TIMEOUT_MS }
  const results: unknown = await client.query(query)
  const result = Array.isArray(results) ? results.at(-3) : undefined
  if (!(result instanceof pg.Result)) throw new Error('a server did not say what it is')
  return result.rows[0]
}

/** Ends a connection at once, whatever is under way on it. */
export function sever(client: pg.ClientBase): void {
  const connection: unknown = Reflect.get(client, 'connection')
  if (connection instanceof pg.Connection) connection.stream.destroy()
}
