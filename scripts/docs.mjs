// @ts-check
/**
 * Writes the generated tables of README.md and docs/reference.md. They come from the registry of the
 * built server, which needs no database for this. With --check it only compares.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fill } from './docs/sections.mjs'

const root = new URL('../', import.meta.url)

/** @type {(path: string) => Promise<any>} */
const built = (path) => import(new URL(`dist/${path}`, root).href)

const { bind } = await built('mcp/define.js')
const { Registry } = await built('mcp/registry.js')
const { overview, reference } = await built('mcp/reference.js')
const { ruleDocs } = await built('platform/sql-parser/lint/rules.js')

const registry = new Registry((await domains()).map((domain) => bind(domain, undefined)))
const documents = {
  'README.md': overview(registry),
  'docs/reference.md': reference(registry, ruleDocs()),
}
const stale = Object.entries(documents).filter(([path, sections]) => !update(path, sections))

if (process.argv.includes('--check') && stale.length > 0) {
  const paths = stale.map(([path]) => path).join(' and ')
  console.error(`${paths} differ from what the server says of itself: run "npm run docs".`)
  process.exitCode = 1
}

/** Every domain, in the order of their names, so that the documents do not depend on the start. */
async function domains() {
  const folders = readdirSync(new URL('src/domains/', root)).sort()
  const served = folders.filter((name) =>
    readdirSync(new URL(`src/domains/${name}/`, root)).includes('index.ts'),
  )
  const modules = await Promise.all(served.map((name) => built(`domains/${name}/index.js`)))
  return modules.flatMap((module) => Object.values(module))
}

/** @type {(path: string, sections: Record<string, string>) => boolean} */
function update(path, sections) {
  const url = new URL(path, root)
  const text = readFileSync(url, 'utf8')
  const wanted = fill(text, sections)
  if (!process.argv.includes('--check') && wanted !== text) writeFileSync(url, wanted)
  return wanted === text
}
