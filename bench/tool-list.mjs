import { openApp } from '../dist/app.js'
import { loadConfig } from '../dist/config.js'
import { createLog } from '../dist/platform/log.js'
import { atMost, figure } from './lib/figure.mjs'
import { verify } from './lib/measure.mjs'

const KB = 1_000

/** Goal 15: how much of a model's context the list of tools takes, in all and per domain. */
export async function run(bench) {
  const database = await bench.database()
  const server = await bench.stdio(database)
  const { tools } = await server.request('tools/list')
  await server.close()
  const domains = await byDomain(tools, database)
  const sizeOf = (listed) => Buffer.byteLength(JSON.stringify(listed)) / KB
  verify(tools.length > 0, 'no tool is listed')
  const perDomain = [...domains].map(([domain, listed]) =>
    figure({
      name: `tools/list, ${domain} (${listed.length})`,
      unit: 'KB',
      values: [sizeOf(listed)],
      goal: atMost(12),
    }),
  )
  return [
    figure({
      name: `tools/list, all ${tools.length} tools`,
      unit: 'KB',
      values: [sizeOf(tools)],
      goal: atMost(30),
    }),
    ...perDomain,
  ]
}

/** The list does not name the domains, so the registry is asked. */
async function byDomain(tools, { env }) {
  const app = await openApp(loadConfig({ ...env, LOG_LEVEL: 'silent' }), createLog('silent'))
  const { registry } = app.serving
  const domains = new Map()
  for (const tool of tools) {
    const { domain } = registry.tools.get(tool.name)
    domains.set(domain, [...(domains.get(domain) ?? []), tool])
  }
  await app.close()
  return domains
}
