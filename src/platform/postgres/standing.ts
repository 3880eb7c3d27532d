import pg from 'pg'

/** What a server said of itself when a connection to it was made. */
export interface Standing {
  readonly in_recovery: boolean
  readonly read_only: boolean
  /** The history that its writes continue; null in recovery. Every promotion starts a higher one. */
  readonly timeline: number | null
  readonly backend_pid: number
}

const ANSWER_TIMEOUT_MS = 2_000

/** The timeline that a server in read-write mode is writing; any role may ask. */
export const TIMELINE = `('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int`

/** `case` keeps a server in recovery from refusing the function that it cannot answer. */
const SELECT_STANDING = `
  select
    pg_is_in_recovery() as in_recovery,
    current_setting('transaction_read_only') = 'on' as read_only,
    case when not pg_is_in_recovery() then ${TIMELINE} end as timeline,
    pg_backend_pid() as backend_pid`

/** Asks the server behind a new connection what it is. */
export async function readStanding(client: pg.ClientBase): Promise<Standing> {
  const query = { text: SELECT_STANDING, query_timeout: ANSWER_TIMEOUT_MS }
  const { rows } = await client.query<Standing>(query)
  if (!rows[0]) throw new Error('a statement that must return a row returned none')
  return rows[0]
}

/** Ends a connection at once, whatever is under way on it. */
export function sever(client: pg.ClientBase): void {
  const connection: unknown = Reflect.get(client, 'connection')
  if (connection instanceof pg.Connection) connection.stream.destroy()
}
