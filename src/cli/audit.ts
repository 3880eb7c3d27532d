import { verifyAudit } from '../commands.js'
import { createLog } from '../platform/log.js'
import { EXIT, Interrupted } from './exit.js'
import { print } from './print.js'
import { watchSignals } from './signals.js'
import { type Env, readConfig } from './start.js'

/** Recomputes the chain of the audit log and prints whether every entry is as it was written. */
export async function printAudit(env: Env, options: { readonly json?: boolean }): Promise<number> {
  const config = readConfig(env)
  const signals = watchSignals()
  signals.hold()
  const verdict = await verifyAudit(config, createLog('silent'))
  if (signals.exitCode !== null) throw new Interrupted(signals.exitCode)
  const { intact, entries, broken_at, head } = verdict
  const text = intact
    ? `intact: ${entries} entries, the last has hash ${head.hash}\n`
    : `broken at entry ${broken_at}: it or what should precede it was changed or removed\n`
  print(verdict, options, () => text)
  return intact ? EXIT.ok : EXIT.findings
}
