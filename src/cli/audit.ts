import { openPlatform } from '../app.js'
import { createLog } from '../platform/log.js'
import { AuditTrail } from '../platform/postgres/audit-trail.js'
import { Database } from '../platform/postgres/database.js'
import { EXIT } from './exit.js'
import { type Env, readConfig } from './start.js'

/** Recomputes the chain of the audit log and prints whether every entry is as it was written. */
export async function verifyAudit(env: Env, options: { readonly json?: boolean }): Promise<never> {
  const log = createLog('silent')
  const platform = await openPlatform(readConfig(env), log)
  const database = new Database({ endpoint: platform.pooled, poolMax: 1 })
  const verdict = await new AuditTrail({ database, serverId: 'cli', log }).verify()
  await database.close()
  await platform.close()
  const { intact, entries, broken_at, head } = verdict
  const text = intact
    ? `intact: ${entries} entries, the last has hash ${head.hash}\n`
    : `broken at entry ${broken_at}: it or what should precede it was changed or removed\n`
  process.stdout.write(options.json ? `${JSON.stringify(verdict, null, 2)}\n` : text)
  process.exit(intact ? EXIT.ok : EXIT.findings)
}
