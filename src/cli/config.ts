import { settingDocs } from '../config.js'
import { Secret } from '../lib/secret.js'
import type { Policy } from '../policy.js'
import { type Env, readConfig } from './start.js'
import { table } from './table.js'

/** Prints every setting and the policy in force; secrets show only that they are set. */
export function printConfig(env: Env, options: { readonly json?: boolean }): void {
  const { policy, ...settings } = readConfig(env)
  const values = new Map<string, unknown>(Object.entries(settings))
  const rows = settingDocs().map(({ name }) => [name, shown(values.get(name))] as const)
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ ...Object.fromEntries(rows), policy }, null, 2)}\n`)
    return
  }
  const lines = rows.map(([name, value]) => [name, value ?? '(not set)'])
  process.stdout.write(`${table(['SETTING', 'VALUE'], lines)}\n`)
  process.stdout.write(table(['POLICY', 'VALUE'], entriesOf(policy)))
}

const shown = (value: unknown): string | null => {
  if (value === undefined) return null
  return value instanceof Secret ? '[redacted]' : String(value)
}

const entriesOf = (policy: Policy): string[][] =>
  Object.entries(policy).flatMap(([section, entries]) =>
    Object.entries(entries).map(([name, value]) => [`${section}.${name}`, String(value)]),
  )
