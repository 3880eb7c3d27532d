import { settingDocs } from '../config.js'
import { Secret } from '../lib/secret.js'
import { type Env, readConfig } from './start.js'
import { table } from './table.js'

/** Prints every setting with the value in use; secrets show only that they are set. */
export function printConfig(env: Env, options: { readonly json?: boolean }): void {
  const values = new Map(Object.entries(readConfig(env)))
  const rows = settingDocs().map(({ name }) => [name, shown(values.get(name))] as const)
  process.stdout.write(
    options.json
      ? `${JSON.stringify(Object.fromEntries(rows), null, 2)}\n`
      : table(
          ['SETTING', 'VALUE'],
          rows.map(([name, value]) => [name, value ?? '(not set)']),
        ),
  )
}

const shown = (value: unknown): string | null => {
  if (value === undefined) return null
  return value instanceof Secret ? '[redacted]' : String(value)
}
