import { verifyAudit } from '../app.js'
import { createLog } from '../platform/log.js'
import { EXIT } from './exit.js'
import { print } from './print.js'
import { type Env, readConfig } from './start.js'

/** Recomputes the chain of the audit log and prints whether every entry is as it was written. */
export async function printAudit(env: Env, options: { readonly json?: boolean }): Promise<number> {
  const verdict = await verifyAudit(readConfig(env), createLog('silent'))
  const { intact, entries, broken_at, head } = verdict
  const text = intact
    ? `intact: ${entries} entries, the last has hash ${head.hash}\n`
    : `broken at entry ${broken_at}: it or what should precede it was changed or removed\n`
  print(verdict, options, () => text)
  return intact ? EXIT.ok : EXIT.findings
}
