import { ENCODING_HINT } from '../../lib/secret.js'

/** One server of a list. */
export interface Target {
  readonly host: string
  readonly port: number
}

const DEFAULT_HOST = 'localhost'
const DEFAULT_PORT = 5432
const URL_PARTS = /^(postgres(?:ql)?:\/\/)([^/?#]*@)?([^/?#]*)([^?#]*)(?:\?([^#]*))?$/i

/**
 * Splits libpq's form of a URL, `postgresql://user@h1:5432,h2:5432/db?host=…&port=…`, into its
 * servers, its database, and the rest with one server, which any parser takes:
 * https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-MULTIPLE-HOSTS
 *
 * @throws TypeError when it cannot be read; its text never contains the URL
 */
export function splitHosts(url: string): {
  readonly targets: readonly [Target, ...Target[]]
  /** Null when the URL names none. */
  readonly database: string | null
  /** Scheme and login with one server. */
  readonly base: string
  readonly parameters: URLSearchParams
} {
  const match = URL_PARTS.exec(url)
  if (!match) throw new TypeError(`cannot be read as a PostgreSQL URL: ${ENCODING_HINT}`)
  const [, scheme = '', user = '', authority = '', path = '', query = ''] = match
  // Else the beginning of a password would be taken, and shown, for a host or the rest for a database.
  if (`${path}${query}`.includes('@')) {
    throw new TypeError(
      `has an @ after the host, as if a password were not encoded: ${ENCODING_HINT}`,
    )
  }
  const parameters = new URLSearchParams(query)
  const named = list(parameters, 'host')
  const targets =
    named.length > 0
      ? pair(named, list(parameters, 'port'))
      : pair(...columns(authority.split(',').map(splitPort), list(parameters, 'port')))
  const database = parameters.get('dbname') || decode(path.slice(1)) || null
  for (const name of ['host', 'port', 'dbname', 'target_session_attrs']) parameters.delete(name)
  return { targets, database, base: `${scheme}${user}${DEFAULT_HOST}`, parameters }
}

function decode(name: string): string {
  try {
    return decodeURIComponent(name)
  } catch {
    throw new TypeError(
      'the database name of the PostgreSQL URL has a % that is not followed by two hexadecimal digits (write it as %25)',
    )
  }
}

/** As a person writes it; a socket directory as it is. */
export const targetLabel = ({ host, port }: Target): string => `${host}:${port}`

const list = (parameters: URLSearchParams, name: string): string[] =>
  parameters.getAll(name).flatMap((value) => value.split(','))

function splitPort(text: string): [host: string, port: string] {
  const match = /^(\[[^\]]*\]|[^:]*)(?::(\d*))?$/.exec(text)
  if (!match) throw new TypeError(`a host of the PostgreSQL URL cannot be read; ${ENCODING_HINT}`)
  return [decodeURIComponent(match[1] ?? '').replace(/^\[|\]$/g, ''), match[2] ?? '']
}

const columns = (
  pairs: readonly [string, string][],
  ports: readonly string[],
): [string[], readonly string[]] => [
  pairs.map(([host]) => host),
  ports.length > 0 ? ports : pairs.map(([, port]) => port),
]

/** One port is every host's; several must be as many as the hosts. */
function pair(hosts: readonly string[], ports: readonly string[]): [Target, ...Target[]] {
  if (ports.length > 1 && ports.length !== hosts.length) {
    throw new TypeError('the PostgreSQL URL names another number of ports than of hosts')
  }
  const [first = { host: DEFAULT_HOST, port: DEFAULT_PORT }, ...others] = hosts.map(
    (host, index) => ({
      host: host || DEFAULT_HOST,
      port: readPort(ports.length === 1 ? ports[0] : ports[index]),
    }),
  )
  return [first, ...others]
}

function readPort(text: string | undefined): number {
  if (!text) return DEFAULT_PORT
  const port = Number(text)
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port
  throw new TypeError(`a port of the PostgreSQL URL cannot be read; ${ENCODING_HINT}`)
}
