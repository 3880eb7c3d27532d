import type { Endpoint } from './connection.js'
import { connectionTrouble, DISK_FULL } from './connection-trouble.js'
import { OF_MACHINERY } from './sql.js'
import { sever } from './standing.js'

/** A megabyte: less may fit into pages that the tables have already. */
const ROWS = 1_000
const LIMIT_MS = 4_000

/**
 * Makes PostgreSQL take new space for a table that only this connection sees, and gives it back: in
 * the tablespace of the database, whatever there is for temporary tables.
 */
const TAKE_ROOM = `
  begin read write;
  set local statement_timeout = ${LIMIT_MS};
  set local temp_tablespaces = '';
  create temporary table catalyst_room (filling text);
  insert ${OF_MACHINERY} into catalyst_room select repeat('x', 1000) from generate_series(1, ${ROWS});
  rollback`

/** A write, or a login, that failed because there is no space left. */
export const isDiskFull = (error: unknown): boolean =>
  connectionTrouble(error) === DISK_FULL ||
  (error instanceof Error && error.cause !== undefined && isDiskFull(error.cause))

/**
 * Whether PostgreSQL finds space for something new; nothing of it stays. Null when that cannot be
 * tried: without a connection, in recovery, without the right to temporary tables.
 */
export async function hasRoom({ servers }: Endpoint): Promise<boolean | null> {
  try {
    const { client } = await servers.connect({
      application_name: 'catalyst-db health',
      query_timeout: LIMIT_MS,
    })
    try {
      await client.query(TAKE_ROOM)
      return true
    } finally {
      sever(client)
    }
  } catch (error) {
    return isDiskFull(error) ? false : null
  }
}
