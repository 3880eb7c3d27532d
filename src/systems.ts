import { type Config, embeddedDir } from './config.js'
import { AppError } from './errors.js'
import { Outage } from './lib/outage.js'
import { redactUrl } from './lib/secret.js'
import type { Trouble } from './lib/tls-trouble.js'
import type { CacheEngine, CacheStore } from './platform/cache/cache-store.js'
import { MemoryCacheStore } from './platform/cache/memory.js'
import { parseRedisUrl } from './platform/cache/redis-url.js'
import { absentCluster, observeEmbedded } from './platform/embedded/observe.js'
import { type EmbeddedServices, joinEmbedded } from './platform/embedded/services.js'
import type { Log } from './platform/log.js'
import { type Endpoint, parseDatabaseUrl } from './platform/postgres/connection.js'

/** One line of what runs where. */
export interface RunningPart {
  readonly part: string
  readonly where: string
}

/** The outside systems, connected as the settings say; nothing of the product yet. */
export interface Systems {
  readonly embedded: EmbeddedServices | null
  /** For short transactions; may lead through a pooler. */
  readonly pooled: Endpoint
  /** The database itself, for what holds state on its connection. */
  readonly direct: Endpoint
  /** The same as the role of migrations over MCP, where the operator names one. */
  readonly migrator: Endpoint | null
  /** The same as the role of queries, where the operator names one. */
  readonly reader: Endpoint | null
  readonly cache: { readonly store: CacheStore; readonly engine: CacheEngine }
  close(): Promise<void>
}

/**
 * Reads what `openSystems` will connect to, before anything is started that would be left behind.
 *
 * @throws AppError `invalid_input` that says what is wrong, without any part of the URL
 */
export function checkUrls(config: Config): void {
  for (const name of [
    'DATABASE_URL',
    'DATABASE_DIRECT_URL',
    'CATALYST_MIGRATOR_URL',
    'CATALYST_READER_URL',
  ] as const) {
    const url = config[name]?.reveal()
    if (url === undefined) continue
    try {
      parseDatabaseUrl(url, config.PGSSLROOTCERT)
    } catch (error) {
      throw unreadable(name, error)
    }
  }
  if (config.REDIS_URL) parseRedisUrl(config.REDIS_URL.reveal())
}

/** Where the URLs of the settings lead: host, port and database, never a user, a password or a parameter. */
export function urlTargets(config: Config): Record<string, string> {
  const databases = (['DATABASE_URL', 'DATABASE_DIRECT_URL'] as const).flatMap((name) => {
    const url = config[name]?.reveal()
    return url ? [[name, parseDatabaseUrl(url, config.PGSSLROOTCERT).label]] : []
  })
  const cache = config.REDIS_URL ? [['REDIS_URL', redactUrl(config.REDIS_URL.reveal())]] : []
  return Object.fromEntries([...databases, ...cache])
}

/** The parser's own text says what is wrong and nothing of the URL; any other names a file. */
const unreadable = (name: string, error: unknown): AppError =>
  new AppError(
    'invalid_input',
    error instanceof TypeError
      ? `${name}: ${error.message}.`
      : `${name}: a certificate or key file that it needs cannot be read.`,
    { hint: `Correct ${name} or PGSSLROOTCERT, then run "catalyst-db doctor".`, cause: error },
  )

/** The outside systems as they are found. */
export interface ObservedSystems
  extends Pick<Systems, 'pooled' | 'direct' | 'migrator' | 'reader'> {
  /** Why there is no PostgreSQL to ask; null when there should be one. */
  readonly absent: Trouble | null
  /** Null where no cache runs because no server does. */
  readonly cache: Systems['cache'] | null
  close(): Promise<void>
}

/** Looks at what the settings name, for commands that change nothing: nothing is started or created. */
export async function observeSystems(config: Config): Promise<ObservedSystems> {
  const found = await observeEmbedded(embeddedDir(config))
  const endpoints = endpointsOf(config, found.connectionString)
  const hasCache = config.REDIS_URL !== undefined || found.redis !== null
  const cache = hasCache
    ? await openCache(config, found.redis, endpoints.pooled.database, null)
    : null
  return {
    ...endpoints,
    absent: config.DATABASE_URL ? null : found.absent,
    cache,
    close: async () => cache?.store.close(),
  }
}

/** Starts or joins the embedded services where no URL is given, and opens the cache. */
export async function openSystems(config: Config, log: Log): Promise<Systems> {
  const wanted = { postgres: !config.DATABASE_URL, redis: !config.REDIS_URL }
  const embedded = await startEmbedded(config, wanted, log)
  const endpoints = endpointsOf(config, embedded?.postgres?.connectionString ?? '')
  const socket = embedded?.redis?.path ?? null
  const cache = await openCache(config, socket, endpoints.pooled.database, log)
  return {
    embedded,
    ...endpoints,
    cache,
    close: async () => {
      await cache.store.close()
      await embedded?.release()
    },
  }
}

/**
 * Only PostgreSQL, for commands: the embedded one is started or joined, and made where there is none and
 * `database` says so.
 *
 * @throws AppError `unavailable` when there is none
 */
export async function openDatabase(
  config: Config,
  log: Log,
  database: 'present' | 'made',
): Promise<Omit<Systems, 'cache'>> {
  const absent = config.DATABASE_URL ? null : absentCluster(embeddedDir(config))
  if (absent && database === 'present') {
    throw new AppError('unavailable', absent.cause, { hint: absent.fix })
  }
  const wanted = { postgres: !config.DATABASE_URL, redis: false }
  const embedded = await startEmbedded(config, wanted, log)
  const endpoints = endpointsOf(config, embedded?.postgres?.connectionString ?? '')
  return { ...endpoints, embedded, close: async () => embedded?.release() }
}

async function startEmbedded(
  config: Config,
  wanted: { readonly postgres: boolean; readonly redis: boolean },
  log: Log,
): Promise<EmbeddedServices | null> {
  if (!wanted.postgres && !wanted.redis) return null
  return joinEmbedded({
    dataDir: embeddedDir(config),
    ...wanted,
    log: (level, message, details) => log[level]({ ...details }, message),
  })
}

function endpointsOf(config: Config, embedded: string) {
  const url = config.DATABASE_URL?.reveal() ?? embedded
  const pooled = parseDatabaseUrl(url, config.PGSSLROOTCERT)
  const directUrl = config.DATABASE_DIRECT_URL?.reveal() ?? url
  const ofRole = (given: string | undefined) =>
    given ? parseDatabaseUrl(given, config.PGSSLROOTCERT) : null
  const migrator = ofRole(config.CATALYST_MIGRATOR_URL?.reveal())
  const reader = ofRole(config.CATALYST_READER_URL?.reveal())
  if (directUrl === url) return { pooled, direct: pooled, migrator, reader }
  const direct = parseDatabaseUrl(directUrl, config.PGSSLROOTCERT)
  direct.servers.shareHistory(pooled.servers)
  return { pooled, direct, migrator, reader }
}

async function openCache(
  config: Config,
  socket: string | null,
  database: string,
  log: Log | null,
): Promise<Systems['cache']> {
  const external = config.REDIS_URL?.reveal()
  const url =
    external ?? (socket && `unix://${encodeURI(socket).replace(/[?#]/g, encodeURIComponent)}`)
  if (!url) return { store: new MemoryCacheStore(), engine: 'in-process' }
  // Loaded only where there is a Redis: it is a good part of the start.
  const { RedisCacheStore } = await import('./platform/cache/redis.js')
  // What is cached belongs to one database; another database's servers may use the same Redis.
  const store = new RedisCacheStore({
    url,
    namespace: database,
    ...(log ? { outage: new Outage(log, 'the cache') } : {}),
  })
  return { store, engine: external ? 'external' : 'embedded' }
}

/** What runs where, without secrets. */
export function describe(config: Config, { embedded, pooled, cache }: Systems): RunningPart[] {
  const postgres = embedded?.postgres
  const where = postgres
    ? `embedded ${postgres.version} in ${embeddedDir(config)}${already(postgres.adopted)}`
    : pooled.label
  return [
    { part: 'PostgreSQL', where },
    { part: 'Cache', where: describeCache(config, embedded?.redis ?? null, cache.engine) },
  ]
}

function describeCache(
  config: Config,
  redis: EmbeddedServices['redis'],
  engine: CacheEngine,
): string {
  if (engine === 'external') return redactUrl(config.REDIS_URL?.reveal() ?? '')
  return redis
    ? `embedded ${redis.program}${already(redis.adopted)}`
    : 'in process (no valkey-server or redis-server on PATH)'
}

const already = (adopted: boolean): string => (adopted ? ', already running' : '')
