import type pg from 'pg'
import { parse, toClientConfig } from 'pg-connection-string'
import { ENCODING_HINT } from '../../lib/secret.js'
import { behindPooler } from './errors.js'
import { splitHosts, targetLabel } from './host-list.js'
import { Servers } from './servers.js'
import { takeTlsParameters, trusting } from './tls-options.js'
import { exactTypes } from './types.js'

/** How to reach one database, and how it may be named in logs and answers. */
export interface Endpoint {
  /** Everything but host and port, which the servers know. */
  readonly config: pg.ClientConfig
  readonly servers: Servers
  readonly database: string
  /** `host:port,host:port/database`, without user, password or parameters. */
  readonly label: string
}

/** libpq's `connect_timeout` has a floor of 2 s for the same reason: a slow network is not a dead one. */
const CONNECT_TIMEOUT_MS = 2_000
/** Longer than every statement limit, shorter than a call's deadline: what it catches is a connection that went silent. */
const SILENT_CONNECTION_MS = 40_000
/** The kernel asks an idle peer from here on; its own default is two hours. */
const KEEP_ALIVE_MS = 10_000

/**
 * Reads a PostgreSQL URL, which may name several servers. TLS, where the URL asks for it, verifies
 * the server's certificate: a private authority is named by `sslrootcert` (or `PGSSLROOTCERT`), that
 * of the system by `system`, and only `sslmode=no-verify` switches verification off.
 *
 * @throws TypeError when the URL cannot be read; its text never contains the URL
 */
export function parseDatabaseUrl(url: string, rootCertificate?: string): Endpoint {
  const { targets, database: named, base, parameters } = splitHosts(url)
  const authority = takeTlsParameters(parameters) ?? rootCertificate
  const { host: _host, port: _port, ...parsed } = toClientConfig(read(`${base}?${parameters}`))
  const ssl =
    parsed.ssl && typeof parsed.ssl === 'object' && authority
      ? trusting(parsed.ssl, authority)
      : parsed.ssl
  const config: pg.ClientConfig = {
    ...parsed,
    ...(named === null ? {} : { database: named }),
    ...(ssl === undefined ? {} : { ssl }),
    application_name: 'catalyst-db',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: SILENT_CONNECTION_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
    types: exactTypes,
  }
  const database = named ?? 'postgres'
  const label = `${targets.map(targetLabel).join(',')}/${database}`
  return { config, servers: new Servers(targets, config), database, label }
}

/** The parser's own error of a % that encodes nothing says neither where nor how it should be. */
function read(url: string): ReturnType<typeof parse> {
  try {
    return parse(url)
  } catch (error) {
    if (error instanceof URIError) throw new TypeError(`cannot be read: ${ENCODING_HINT}`)
    throw error
  }
}

/** How a connection differs from others of its endpoint. */
export interface ConnectOptions {
  /** As PostgreSQL's own views show it. */
  readonly name: string
  /** Longest wait for the answer to one statement, in milliseconds; 0 waits for ever. */
  readonly timeoutMs: number
}

/**
 * A connection of one's own, for what holds state on it: of several servers to the read-write
 * primary, and not through a pooler. What runs there is stopped in PostgreSQL as well when its answer
 * is no longer waited for.
 *
 * @throws AppError `unavailable` when only a pooler answers
 */
export async function connectDirectly(
  { servers }: Endpoint,
  { name, timeoutMs }: ConnectOptions,
  login: Pick<pg.ClientConfig, 'user' | 'password' | 'database'> = {},
): Promise<pg.Client> {
  const { client, standing } = await servers.connect(
    { application_name: name, query_timeout: timeoutMs, ...login },
    { statement_timeout: String(timeoutMs) },
  )
  if (!standing.is_pooled) return client
  client.end().catch(() => {})
  throw behindPooler()
}
