import { verifyAudit } from '../app.js'
import { createLog } from '../platform/log.js'
import { EXIT } from './exit.js'
import { type Env, readConfig } from './start.js'

/** Recomputes the chain of the audit log and prints whether every entry is as it was written. */
export async function printAudit(env: Env, options: { readonly json?: boolean }): Promise<never> {
  const verdict = await verifyAudit(readConfig(env), createLog('silent'))
  const { intact, entries, broken_at, head } = verdict
  const text = intact
    ? `intact: ${entries} entries, the last has hash ${head.hash}\n`
    : `broken at entry ${broken_at}: it or what should precede it was changed or removed\n`
  process.stdout.write(options.json ? `${JSON.stringify(verdict, null, 2)}\n` : text)
  process.exit(intact ? EXIT.ok : EXIT.findings)
}
