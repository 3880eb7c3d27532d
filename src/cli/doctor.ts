import { checkUp, type Finding } from '../domains/monitoring/checkup.js'
import { createLog } from '../platform/log.js'
import { openSystems } from '../systems.js'
import { EXIT } from './exit.js'
import { print } from './print.js'
import { type Env, readConfig } from './start.js'
import { table } from './table.js'

/** Prints every finding with its fix; changes nothing in the database. */
export async function doctor(env: Env, options: { readonly json?: boolean }): Promise<number> {
  const config = readConfig(env)
  const systems = await openSystems(config, createLog('silent'))
  const findings = await checkUp({
    pooled: systems.pooled,
    direct: systems.direct,
    isEmbedded: !config.DATABASE_URL,
    cacheHealth: () => systems.cache.store.health(),
    nodeVersion: process.versions.node,
  })
  print({ findings }, options, () => readable(findings))
  await systems.close()
  return findings.every(({ status }) => status === 'ok') ? EXIT.ok : EXIT.findings
}

function readable(findings: readonly Finding[]): string {
  const rows = findings.map(({ check, status, detail }) => [check, status, detail])
  const fixes = findings.flatMap(({ check, fix }) => (fix ? [`${check}: ${fix}`] : []))
  const advice =
    fixes.length > 0 ? `\nWhat to do:\n${fixes.map((fix) => `  - ${fix}\n`).join('')}` : ''
  return table(['CHECK', 'STATUS', 'DETAIL'], rows) + advice
}
