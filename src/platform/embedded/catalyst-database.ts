import pg from 'pg'
import type { Postmaster } from './postmaster.js'
import { extensionsSql, rolesSql } from './roles.js'

const DATABASE = 'catalyst'
/** As whom the product connects. */
const OWNER = 'catalyst_owner'
/** Made by initdb; it makes the others, and nobody connects as it afterwards. */
const BOOTSTRAP = 'postgres'
const CONNECT_TIMEOUT_MS = 5_000
/** `create database` copies a template and waits for the disk. */
const QUERY_TIMEOUT_MS = 30_000

/**
 * How to reach the database over its socket. Port and TLS are spelled out although they are the
 * defaults, because PGPORT and PGSSLMODE of the environment would replace what is not.
 */
export function connectionString(sockets: string, port: number): string {
  const parameters = new URLSearchParams({ host: sockets, port: String(port), sslmode: 'disable' })
  return `postgresql://${OWNER}@/${DATABASE}?${parameters}`
}

/** Creates the roles and the database unless they exist, and answers with the server's version. */
export async function openDatabase(postmaster: Postmaster): Promise<string> {
  try {
    return await serverVersion(postmaster)
  } catch (error) {
    if (!isState(error, NO_DATABASE) && !isState(error, NO_ROLE)) throw error
  }
  await prepare(postmaster)
  return await serverVersion(postmaster)
}

/** SQLSTATEs of a login that is refused because what it names does not exist. */
const NO_DATABASE = '3D000'
const NO_ROLE = '28000'

const serverVersion = (postmaster: Postmaster): Promise<string> =>
  withClient(postmaster, { user: OWNER, database: DATABASE }, async (client) => {
    const { rows } = await client.query(`select current_setting('server_version') as version`)
    return String(rows[0]?.version)
  })

/** Every step may be the one before which a server was killed. */
async function prepare(postmaster: Postmaster): Promise<void> {
  const as = (database: string) => ({ user: BOOTSTRAP, database })
  await withClient(postmaster, as('postgres'), async (client) => {
    await client.query(rolesSql())
    const { rowCount } = await client.query('select from pg_database where datname = $1', [
      DATABASE,
    ])
    if (rowCount === 0) await client.query(`create database ${DATABASE} owner ${OWNER}`)
  })
  await withClient(postmaster, as(DATABASE), async (client) => {
    await client.query(extensionsSql())
  })
}

/** Brings into another database of this server what only its bootstrap superuser may make. */
export async function prepareDatabase(connectionString: string, database: string): Promise<void> {
  const { searchParams } = new URL(connectionString.replace('@/', '@localhost/'))
  const [sockets, port] = [searchParams.get('host') ?? '', Number(searchParams.get('port'))]
  await withClient({ sockets, port }, { user: BOOTSTRAP, database }, async (client) => {
    await client.query(extensionsSql())
  })
}

async function withClient<T>(
  { sockets, port }: Pick<Postmaster, 'sockets' | 'port'>,
  { user, database }: { readonly user: string; readonly database: string },
  use: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({
    host: sockets,
    port,
    database,
    user,
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
