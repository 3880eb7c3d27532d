import pg from 'pg'
import type { Postmaster } from './postmaster.js'

const DATABASE = 'catalyst'
const CONNECT_TIMEOUT_MS = 5_000
/** `create database` copies a template and waits for the disk. */
const QUERY_TIMEOUT_MS = 30_000

/**
 * How to reach the database over its socket. Port and TLS are spelled out although they are the
 * defaults, because PGPORT and PGSSLMODE of the environment would replace what is not.
 */
export function connectionString(sockets: string, port: number): string {
  const parameters = new URLSearchParams({ host: sockets, port: String(port), sslmode: 'disable' })
  return `postgresql://postgres@/${DATABASE}?${parameters}`
}

/** Creates the database unless it exists, and answers with the server's version. */
export async function openDatabase(postmaster: Postmaster): Promise<string> {
  try {
    return await serverVersion(postmaster)
  } catch (error) {
    if (!isState(error, '3D000')) throw error
  }
  await createDatabase(postmaster)
  return await serverVersion(postmaster)
}

const serverVersion = (postmaster: Postmaster): Promise<string> =>
  withClient(postmaster, DATABASE, async (client) => {
    const { rows } = await client.query(`select current_setting('server_version') as version`)
    return String(rows[0]?.version)
  })

const createDatabase = (postmaster: Postmaster): Promise<void> =>
  withClient(postmaster, 'postgres', async (client) => {
    await client.query(`create database ${DATABASE}`)
  })

async function withClient<T>(
  { sockets, port }: Postmaster,
  database: string,
  use: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({
    host: sockets,
    port,
    database,
    user: 'postgres',
    ssl: false,
    application_name: 'catalyst-db start',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
  })
  client.on('error', () => {})
  try {
    await client.connect()
    return await use(client)
  } finally {
    await client.end().catch(() => {})
  }
}

const isState = (error: unknown, state: string): boolean =>
  error instanceof pg.DatabaseError && error.code === state
