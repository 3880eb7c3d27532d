// @ts-check
/**
 * Writes the generated tables of README.md and docs/reference.md. They come from the registry of the
 * built server, which needs no database for this. With --check it only compares.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fill } from './docs/sections.mjs'
import { servedTypes } from './docs/types.mjs'

const root = new URL('../', import.meta.url)

/** @type {(path: string) => Promise<any>} */
const built = (path) => import(new URL(`dist/${path}`, root).href)

const { PARTS } = await built('app.js')
const { Registry } = await built('mcp/registry.js')
const { overview, reference } = await built('mcp/reference.js')
const { toJsonSchema } = await built('lib/json-schema.js')
const { ruleDocs } = await built('platform/sql-parser/lint/rules.js')

const registry = new Registry(PARTS.map((/** @type {any} */ { described }) => described))
/** @type {Record<string, (text: string) => string>} */
const documents = {
  'README.md': (text) => fill(text, overview(registry)),
  'docs/reference.md': (text) => fill(text, reference(registry, ruleDocs())),
  'src/client/served.ts': () => clientTypes(),
}
const stale = Object.entries(documents).filter(([path, write]) => !update(path, write))

if (process.argv.includes('--check') && stale.length > 0) {
  const paths = stale.map(([path]) => path).join(', ')
  console.error(`${paths}: differs from what the server says of itself: run "npm run docs".`)
  process.exitCode = 1
}

function clientTypes() {
  const tools = [...registry.tools.values()].map(({ name, input, output }) => ({
    name,
    input: toJsonSchema(input, 'input'),
    output: toJsonSchema(output, 'output'),
  }))
  const resources = registry.resources.map((/** @type {any} */ { path, output }) => ({
    path,
    output: toJsonSchema(output, 'output'),
  }))
  return servedTypes(tools, resources)
}

/** @type {(path: string, write: (text: string) => string) => boolean} */
function update(path, write) {
  const url = new URL(path, root)
  const text = existsSync(url) ? readFileSync(url, 'utf8') : ''
  const wanted = write(text)
  if (!process.argv.includes('--check') && wanted !== text) writeFileSync(url, wanted)
  return wanted === text
}
