import { readFileSync } from 'node:fs'
import pg from 'pg'
import { parse, toClientConfig } from 'pg-connection-string'
import { exactTypes } from './types.js'

/** How to reach one database, and how it may be named in logs and answers. */
export interface Endpoint {
  readonly config: pg.ClientConfig
  readonly database: string
  /** `host:port/database`, without user, password or parameters. */
  readonly label: string
}

/** libpq's `connect_timeout` has a floor of 2 s for the same reason: a slow network is not a dead one. */
const CONNECT_TIMEOUT_MS = 2_000
/** Longer than every statement limit: what it catches is a connection that went silent. */
const SILENT_CONNECTION_MS = 120_000

/**
 * Reads a PostgreSQL URL. TLS, where the URL asks for it, verifies the server's certificate: a
 * private authority is named by `sslrootcert` (or `PGSSLROOTCERT`), and only `sslmode=no-verify`
 * switches verification off.
 *
 * @throws TypeError when the URL cannot be read; its text never contains the URL
 */
export function parseDatabaseUrl(url: string, rootCertificate?: string): Endpoint {
  const verified = url.replace(/([?&]sslmode=)(prefer|require|verify-ca)\b/, '$1verify-full')
  const parsed = toClientConfig(parse(verified))
  const ssl =
    parsed.ssl && typeof parsed.ssl === 'object' && rootCertificate && !parsed.ssl.ca
      ? { ...parsed.ssl, ca: readFileSync(rootCertificate, 'utf8') }
      : parsed.ssl
  const config: pg.ClientConfig = {
    ...parsed,
    ...(ssl === undefined ? {} : { ssl }),
    application_name: 'catalyst-db',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: SILENT_CONNECTION_MS,
    keepAlive: true,
    types: exactTypes,
  }
  const host = parsed.host || 'localhost'
  const database = parsed.database || 'postgres'
  return { config, database, label: `${host}:${parsed.port || 5432}/${database}` }
}

/** A connected client whose loss while idle is not an uncaught error. */
export async function connect(endpoint: Endpoint, overrides: pg.ClientConfig = {}) {
  const client = new pg.Client({ ...endpoint.config, ...overrides })
  client.on('error', () => {})
  await client.connect()
  return client
}
