import { readFileSync } from 'node:fs'
import { AppError } from '../../errors.js'
import { ENCODING_HINT } from '../../lib/secret.js'

/** A host with the port its Redis or Sentinel listens on. */
export interface Host {
  readonly host: string
  readonly port: number
}

/** Who we are to a server. */
interface Login {
  readonly username?: string
  readonly password?: string
}

/** Which servers there are, and how the one to talk to is found. */
export type RedisSite =
  | { readonly kind: 'server'; readonly host: Host }
  | { readonly kind: 'socket'; readonly path: string }
  | { readonly kind: 'cluster'; readonly hosts: readonly Host[] }
  | {
      readonly kind: 'sentinel'
      readonly hosts: readonly Host[]
      readonly name: string
      readonly login: Login
    }

/** Whom we trust, and what we show of ourselves, in PEM. */
interface Certificates {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
}

/** What a Redis URL says. */
export interface RedisTarget {
  readonly site: RedisSite
  readonly login: Login
  readonly db: number
  /** Null without TLS; with it the server is verified, by this authority if one is named. */
  readonly tls: Certificates | null
}

interface Parts {
  readonly hosts: string
  readonly path: string
  readonly parameters: URLSearchParams
  readonly login: Login
  readonly tls: RedisTarget['tls']
}

const REDIS_PORT = 6_379
const SENTINEL_PORT = 26_379
const FILES = ['ca', 'cert', 'key'] as const
const PARAMETERS = [
  'username',
  'password',
  'db',
  ...FILES,
  'sentinel_username',
  'sentinel_password',
]

/** Everything up to the last `@` before the path is the login: a password may hold one too. */
const URL_PARTS =
  /^(?:(?<scheme>[a-z+]+):\/\/)?(?:(?<login>[^/?#]*)@)?(?<hosts>[^/?#@]*)(?<path>[^?#]*)(?:\?(?<query>[^#]*))?$/

/**
 * Reads `redis://`, `rediss://`, `unix://` (or the path alone), `redis+sentinel://h1,h2/name/db`,
 * `redis+cluster://h1,h2` and the latter two with `rediss`.
 *
 * @throws AppError `invalid_input` that says what is wrong, without any part of the URL
 */
export function parseRedisUrl(url: string): RedisTarget {
  const groups = URL_PARTS.exec(url)?.groups
  if (!groups) throw wrong('cannot be read')
  const { scheme = 'unix', login: user = '', hosts = '', path = '', query = '' } = groups
  // Else the rest of a password would be taken, and shown, for the name of a primary.
  if (path.includes('@')) throw wrong('has an @ after the host, as if a password were not encoded')
  const [protocol = '', kind = 'server'] = scheme.split('+')
  const parameters = new URLSearchParams(query.replaceAll('+', '%2B'))
  checkParameters(parameters)
  const login = { ...splitLogin(user), ...loginIn(parameters) }
  const tls = protocol === 'rediss' ? tlsOf(parameters) : null
  const file = FILES.find((name) => parameters.has(name))
  if (!tls && file) throw wrong(`names a ${file}, which needs rediss://`)
  const parts = { hosts, path: decode(path), parameters, login, tls }
  const read = scheme === 'unix' ? socketOf : /^rediss?$/.test(protocol) ? READERS.get(kind) : null
  if (!read) throw wrong('has an unknown scheme')
  return read(parts)
}

const READERS = new Map<string, (parts: Parts) => RedisTarget>([
  ['server', serverOf],
  ['cluster', clusterOf],
  ['sentinel', sentinelOf],
])

function socketOf({ hosts, path, parameters, login, tls }: Parts): RedisTarget {
  if (hosts !== '' || path === '') throw wrong('needs an absolute path: unix:///run/redis.sock')
  return { site: { kind: 'socket', path }, login, tls, db: dbOf(parameters.get('db')) }
}

function serverOf({ hosts, path, parameters, login, tls }: Parts): RedisTarget {
  const [host, ...more] = hostsOf(hosts, REDIS_PORT)
  if (!host || more.length > 0) {
    throw wrong('names several hosts, which needs redis+sentinel:// or redis+cluster://')
  }
  const db = dbOf(path.slice(1) || parameters.get('db'))
  return { site: { kind: 'server', host }, login, tls, db }
}

function clusterOf({ hosts, path, parameters, login, tls }: Parts): RedisTarget {
  if (dbOf(path.slice(1) || parameters.get('db')) !== 0) {
    throw wrong('names a database number, but a Redis Cluster has only 0')
  }
  return { site: { kind: 'cluster', hosts: hostsOf(hosts, REDIS_PORT) }, login, tls, db: 0 }
}

function sentinelOf({ hosts, path, parameters, login, tls }: Parts): RedisTarget {
  const [name, db, ...more] = path.slice(1).split('/')
  if (!name || more.length > 0) {
    throw wrong('needs the name of the primary: redis+sentinel://host:26379/name')
  }
  const site = {
    kind: 'sentinel',
    hosts: hostsOf(hosts, SENTINEL_PORT),
    name,
    login: loginIn(parameters, 'sentinel_'),
  } as const
  return { site, login, tls, db: dbOf(db ?? parameters.get('db')) }
}

function hostsOf(list: string, defaultPort: number): Host[] {
  return list.split(',').map((text) => {
    const [, host, port] = /^(\[[0-9a-fA-F:.]+\]|[^:[\]]+)(?::([0-9]+))?$/.exec(text) ?? []
    if (!host) throw wrong('names no host, or one that is not a name or an address')
    const number = Number(port ?? defaultPort)
    if (number < 1 || number > 65_535) throw wrong('has a port that is not from 1 to 65535')
    return { host: host.replace(/^\[|\]$/g, ''), port: number }
  })
}

function dbOf(text: string | null | undefined): number {
  if (!text) return 0
  if (!/^\d{1,4}$/.test(text)) throw wrong('has a database number that is not a whole number')
  return Number(text)
}

function splitLogin(text: string): Login {
  if (text === '') return {}
  const [, username = '', password] = /^([^:]*)(?::(.*))?$/.exec(text) ?? []
  return loginOf(decode(username), password === undefined ? null : decode(password))
}

const loginIn = (parameters: URLSearchParams, prefix = ''): Login =>
  loginOf(parameters.get(`${prefix}username`), parameters.get(`${prefix}password`))

const loginOf = (username: string | null, password: string | null): Login => ({
  ...(username ? { username } : {}),
  ...(password ? { password } : {}),
})

function tlsOf(parameters: URLSearchParams): Certificates {
  if (parameters.has('cert') !== parameters.has('key')) {
    throw wrong('needs cert and key together: the certificate of this client and its private key')
  }
  return Object.fromEntries(
    FILES.flatMap((name) => {
      const file = parameters.get(name)
      return file === null ? [] : [[name, readPem(name, file)]]
    }),
  )
}

function readPem(name: string, file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    throw wrong(`names a ${name} file that cannot be read`)
  }
}

function checkParameters(parameters: URLSearchParams): void {
  for (const name of parameters.keys()) {
    if (PARAMETERS.includes(name)) continue
    throw wrong(`has an unknown parameter; there are ${PARAMETERS.join(', ')}`)
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw wrong('has a % that is not followed by two hexadecimal digits: write it as %25')
  }
}

const wrong = (problem: string): AppError =>
  new AppError('invalid_input', `REDIS_URL ${problem}.`, {
    hint: `Correct REDIS_URL (${ENCODING_HINT}), then run "catalyst-db doctor".`,
  })
