import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import { DECLARED } from './declared.js'
import { AppError } from './errors.js'
import { joined } from './kernel/declare.js'
import { isLoopback } from './lib/loopback.js'
import { defaultPolicy, type Policy, readPolicy } from './policy.js'

/** Every setting, by its environment name. */
const SETTINGS = z.object(joined(DECLARED, 'settings'))

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
  problems.push(...accessProblems(values))
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

/** What would let somebody in who has not said who they are. */
function accessProblems(settings: Readonly<Record<string, string>>): string[] {
  const { HOST = 'localhost', CATALYST_TOKENS: tokens, CATALYST_OIDC_ISSUER: issuer } = settings
  const problems: string[] = []
  if (!isLoopback(HOST) && !tokens && !issuer) {
    problems.push(
      'HOST: must be a loopback address unless CATALYST_TOKENS or CATALYST_OIDC_ISSUER is set: anybody on the network could write (catalyst-db token create makes a token)',
    )
  }
  if (issuer && !settings.CATALYST_AUDIENCE) {
    problems.push(
      'CATALYST_AUDIENCE: is needed with CATALYST_OIDC_ISSUER: else tokens for other services would open this one',
    )
  }
  return problems
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
