import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import envPaths from 'env-paths'
import { z } from 'zod'
import { AppError } from './errors.js'
import { Secret } from './lib/secret.js'
import { defaultPolicy, type Policy, readPolicy } from './policy.js'

const secretUrl = (...protocols: string[]) =>
  z
    .string()
    .refine((value) => protocols.some((protocol) => value.startsWith(`${protocol}://`)), {
      error: `must start with ${protocols.map((protocol) => `${protocol}://`).join(' or ')}`,
    })
    .transform((value) => new Secret(value))
    .optional()

const REDIS_SCHEMES = [
  'redis',
  'rediss',
  'unix',
  'redis+sentinel',
  'rediss+sentinel',
  'redis+cluster',
  'rediss+cluster',
]

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)

/**
 * Every setting, by its environment name: the one place to add one. Each may also be given as
 * `NAME_FILE`, a file that holds the value.
 */
const SETTINGS = z.object({
  DATABASE_URL: secretUrl('postgres', 'postgresql').describe(
    'PostgreSQL 14-18; several servers as h1:5432,h2:5432. Without it an embedded PostgreSQL runs in the data directory.',
  ),
  DATABASE_DIRECT_URL: secretUrl('postgres', 'postgresql').describe(
    'The same database, not through a pooler: sessions, migrations, LISTEN. Default: DATABASE_URL.',
  ),
  CATALYST_MIGRATOR_URL: secretUrl('postgres', 'postgresql').describe(
    'The same database as a role that owns only what migrations over MCP may change. Default: catalyst_migrator, made by the role of DATABASE_URL where that may create roles.',
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
  CATALYST_MIGRATIONS_DIR: z
    .string()
    .min(1)
    .optional()
    .describe('Migration files of your own. Default: "migrations" in CATALYST_DATA_DIR.'),
  CATALYST_POOL_MAX: z.coerce
    .number()
    .int()
    .min(2)
    .max(500)
    .default(10)
    .describe('Most pooled database connections of one server.'),
  CATALYST_SESSION_IDLE_SECONDS: z.coerce
    .number()
    .int()
    .min(1)
    .max(3_600)
    .default(300)
    .describe('A database session that nobody uses for so long is rolled back.'),
  CATALYST_SESSION_MAX_SECONDS: z.coerce
    .number()
    .int()
    .min(1)
    .max(86_400)
    .default(900)
    .describe('A database session is rolled back at this age, used or not.'),
  CATALYST_JOB_WAIT_SECONDS: z.coerce
    .number()
    .min(0)
    .max(45)
    .default(20)
    .describe('A call of a long operation that is not done by then answers with its job_id.'),
  CATALYST_POLICY_FILE: z
    .string()
    .min(1)
    .optional()
    .describe(
      'TOML or JSON file of limits and thresholds, see "Policy". Without it the defaults hold.',
    ),
  HOST: z
    .string()
    .refine(isLoopback, {
      error:
        'must be a loopback address: this version has no authentication, so anybody on the network could write',
    })
    .default('127.0.0.1')
    .describe('Address that "serve" binds: loopback only, as long as there is no authentication.'),
  PORT: z.coerce.number().int().min(0).max(65_535).default(8642).describe('Port of "serve".'),
  LOG_LEVEL: z
    .enum(['debug', 'info', 'warn', 'error', 'silent'])
    .default('info')
    .describe(
      'Least severe log line written to stderr. Failed calls are in it at every level but silent, for their callers are told a reference.',
    ),
})

/** The settings of this process with the policy they name, parsed once. */
export type Config = z.output<typeof SETTINGS> & { readonly policy: Policy }

/** Documentation of one setting, for the generated tables. */
export interface SettingDoc {
  readonly name: string
  readonly meaning: string
  /** Null when there is none, or when it depends on the machine. */
  readonly default: string | null
}

/** All settings in the order of the schema. */
export const settingDocs = (): SettingDoc[] =>
  Object.entries(SETTINGS.shape).map(([name, schema]) => ({
    name,
    meaning: schema.description ?? '',
    default: defaultOf(schema),
  }))

function defaultOf(schema: z.ZodType): string | null {
  if (!(schema instanceof z.ZodDefault) || schema.description?.includes('Default:')) return null
  return String(schema.def.defaultValue)
}

/**
 * Reads the settings from an environment.
 *
 * @throws AppError `invalid_input` that lists every problem at once; values are never in it
 */
export function loadConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const problems: string[] = []
  const values: Record<string, string> = {}
  for (const name of Object.keys(SETTINGS.shape)) {
    const value = readSetting(env, name, problems)
    if (value !== undefined) values[name] = value
  }
  problems.push(...unknownSettings(env))
  const parsed = SETTINGS.safeParse(values)
  for (const issue of parsed.error?.issues ?? []) {
    problems.push(`${issue.path.join('.')}: ${issue.message}`)
  }
  const policyFile = parsed.data?.CATALYST_POLICY_FILE
  const policy = policyFile ? readPolicy(policyFile, problems) : defaultPolicy()
  if (parsed.success && problems.length === 0) return { ...parsed.data, policy }
  throw new AppError('invalid_input', `The settings are not usable:\n- ${problems.join('\n- ')}`, {
    hint: 'Set the named environment variables, then run "catalyst-db config print" to see what is used.',
  })
}

/** The folder of the embedded PostgreSQL, Redis and their logs. */
export const embeddedDir = (config: Config): string => join(config.CATALYST_DATA_DIR, 'embedded')

/** The folder of the operator's own migration files, absolute; it need not exist. */
export const migrationsDir = (config: Config): string =>
  resolve(config.CATALYST_MIGRATIONS_DIR ?? join(config.CATALYST_DATA_DIR, 'migrations'))

function readSetting(
  env: Readonly<Record<string, string | undefined>>,
  name: string,
  problems: string[],
): string | undefined {
  const value = env[name]
  const file = env[`${name}_FILE`]
  if (value && file) problems.push(`${name}: set either ${name} or ${name}_FILE, not both`)
  if (value) return value
  if (!file) return undefined
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    problems.push(`${name}_FILE: the file cannot be read`)
    return undefined
  }
}

function unknownSettings(env: Readonly<Record<string, string | undefined>>): string[] {
  const known = Object.keys(SETTINGS.shape).flatMap((name) => [name, `${name}_FILE`])
  return Object.keys(env)
    .filter((name) => name.startsWith('CATALYST_') && !known.includes(name))
    .map((name) => `${name}: there is no such setting (known: ${ours()})`)
}

const ours = (): string =>
  Object.keys(SETTINGS.shape)
    .filter((name) => name.startsWith('CATALYST_'))
    .join(', ')
