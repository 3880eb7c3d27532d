import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { bind, type Domain } from '../../src/mcp/define.js'
import { Registry } from '../../src/mcp/registry.js'

const DOMAINS = fileURLToPath(new URL('../../src/domains', import.meta.url))

/** Every domain of the source tree without its service: what the server says of itself, uncalled. */
export async function describedRegistry(): Promise<Registry> {
  const names = readdirSync(DOMAINS)
    .sort()
    .filter((name) => existsSync(`${DOMAINS}/${name}/index.ts`))
  const modules = await Promise.all(names.map((name) => import(`${DOMAINS}/${name}/index.ts`)))
  const domains = modules.flatMap((module) => Object.values<Domain<undefined>>(module))
  return new Registry(domains.map((domain) => bind(domain, undefined)))
}
