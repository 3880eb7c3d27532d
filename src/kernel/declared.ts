import envPaths from 'env-paths'
import { z } from 'zod'
import { marks } from '../lib/marks.js'
import { refs } from '../lib/refs.js'
import { secretUrl } from '../lib/secret-url.js'
import { declare, event } from './declare.js'

const REDIS_SCHEMES = [
  'redis',
  'rediss',
  'unix',
  'redis+sentinel',
  'rediss+sentinel',
  'redis+cluster',
  'rediss+cluster',
]

/** How long it is remembered who called what. */
const AUDIT = z.strictObject({
  keep_months: z
    .int()
    .min(1)
    .max(1_200)
    .default(24)
    .describe(
      'Full months kept beside the running one; older ones are dropped, but for their heads.',
    ),
})

/** How much one caller may hold at a time. */
const LIMITS = z.strictObject({
  sessions_per_caller: z
    .int()
    .min(1)
    .max(1_000)
    .default(200)
    .describe('Database sessions that one caller may have open.'),
  subscriptions_per_client: z
    .int()
    .min(1)
    .max(100_000)
    .default(500)
    .describe('Resources that one connection or stream of a client may subscribe to.'),
  streams_per_client: z
    .int()
    .min(1)
    .max(1_000)
    .default(100)
    .describe('Streams of notifications that one client of the 2026 era may have open.'),
  requests_per_minute: z
    .int()
    .min(0)
    .max(100_000_000)
    .default(60_000)
    .describe('Requests that one bearer of a token may send over HTTP in a minute; 0 is no limit.'),
})

/** What the server itself declares, whatever its parts are. */
export const server = declare({
  settings: {
    DATABASE_URL: secretUrl('postgres', 'postgresql').describe(
      'PostgreSQL 14-18; several servers as h1:5432,h2:5432. Without it an embedded PostgreSQL runs in the data directory.',
    ),
    DATABASE_DIRECT_URL: secretUrl('postgres', 'postgresql').describe(
      'The same database, not through a pooler: sessions, migrations, LISTEN. Default: DATABASE_URL.',
    ),
    PGSSLROOTCERT: z
      .string()
      .optional()
      .describe('File with the certificate authority of the database, when its URL asks for TLS.'),
    REDIS_URL: secretUrl(...REDIS_SCHEMES).describe(
      'Redis 6.2 or later, or Valkey: redis://user:password@host:6379/0, unix:///path, redis+sentinel://h1:26379,h2:26379/name/0 or redis+cluster://h1:6379,h2:6379; with rediss TLS, verified, by the authority in ?ca=file if given, with a certificate of this client in cert=file&key=file. Without it a server found on PATH is started, else the cache is in process.',
    ),
    CATALYST_DATA_DIR: z
      .string()
      .min(1)
      .default(() => envPaths('catalyst-db', { suffix: '' }).data)
      .describe("Embedded data. Default: the user's data directory."),
    CATALYST_POOL_MAX: z.coerce
      .number()
      .int()
      .min(2)
      .max(500)
      .default(10)
      .describe('Most pooled database connections of one server.'),
    CATALYST_POLICY_FILE: z
      .string()
      .min(1)
      .optional()
      .describe(
        'TOML or JSON file of limits and thresholds, see "Policy". Without it the defaults hold.',
      ),
    CATALYST_TOOLSETS: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Names of the parts whose tools are served, as in trading,market; a client narrows them further by ?toolsets= in its URL. Without it all are.',
      ),
    CATALYST_READ_ONLY: z
      .enum(['true', 'false'])
      .default('false')
      .describe('With true only tools that change nothing are served.'),
    CATALYST_TOKENS: z
      .string()
      .min(1)
      .optional()
      .describe(
        'File of tokens, a line name:scopes:sha256 for each, as "catalyst-db token create" writes them. With it every HTTP caller needs one.',
      ),
    CATALYST_OIDC_ISSUER: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe(
        'Issuer of OAuth access tokens (OpenID Connect discovery); needs CATALYST_AUDIENCE. With it every HTTP caller needs one.',
      ),
    CATALYST_AUDIENCE: z
      .string()
      .min(1)
      .optional()
      .describe('What access tokens for this server name as their audience, such as its URL.'),
    HOST: z
      .string()
      .min(1)
      .default('127.0.0.1')
      .describe(
        'Address that "serve" binds; another than loopback only with CATALYST_TOKENS or CATALYST_OIDC_ISSUER.',
      ),
    PORT: z.coerce.number().int().min(0).max(65_535).default(8642).describe('Port of "serve".'),
    LOG_LEVEL: z
      .enum(['debug', 'info', 'warn', 'error', 'silent'])
      .default('info')
      .describe(
        'Least severe log line written to stderr. Failed calls are in it at every level but silent, for their callers are told a reference.',
      ),
  },
  policy: {
    audit: AUDIT,
    limits: LIMITS,
  },
  events: {
    'db.transaction': event(
      'info',
      'Persisting tools committed a transaction.',
      z.object({
        tools: z.array(z.string()),
        /** Not the handle: `sess#` and the first 12 hexadecimal digits of its SHA-256. */
        session_id: z.string().nullable(),
        /** Of more than a thousand things the others are in further events of the same transaction. */
        refs: refs(),
        /** The cached values it outdates; left out when there are none. */
        touched: marks().optional(),
      }),
    ),
    'db.error': event(
      'critical',
      'A database error took something away from a client.',
      z.object({
        code: z.string(),
        message: z.string(),
        session_id: z.string().nullable(),
        /** Of an error that lasts: it began, or is over. */
        state: z.enum(['on', 'off']).optional(),
      }),
    ),
  },
})
