import { settingDocs } from '../config.js'
import { Secret } from '../lib/secret.js'
import type { Policy } from '../policy.js'
import { urlTargets } from '../systems.js'
import { EXIT } from './exit.js'
import { type Env, readConfig } from './start.js'
import { table } from './table.js'
import { write } from './terminal.js'

/** Prints every setting and the policy in force; of a URL only where it leads, of other secrets that they are set. */
export function printConfig(env: Env, options: { readonly json?: boolean }): number {
  const config = readConfig(env)
  const { policy, ...settings } = config
  const targets: Readonly<Record<string, string>> = urlTargets(config)
  const values = new Map<string, unknown>(Object.entries(settings))
  const rows = settingDocs().map(
    ({ name }) => [name, targets[name] ?? shown(values.get(name))] as const,
  )
  if (options.json) {
    write(`${JSON.stringify({ ...Object.fromEntries(rows), policy }, null, 2)}\n`)
    return EXIT.ok
  }
  const lines = rows.map(([name, value]) => [name, value ?? '(not set)'])
  write(`${table(['SETTING', 'VALUE'], lines)}\n`)
  write(table(['POLICY', 'VALUE'], entriesOf(policy)))
  return EXIT.ok
}

const shown = (value: unknown): string | null => {
  if (value === undefined) return null
  return value instanceof Secret ? '[redacted]' : String(value)
}

const entriesOf = (policy: Policy): string[][] =>
  Object.entries(policy).flatMap(([section, entries]) => linesOf(section, entries))

const linesOf = (name: string, value: unknown): string[][] =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.entries(value).flatMap(([key, inner]) => linesOf(`${name}.${key}`, inner))
    : [[name, String(value)]]
