// @ts-check
/**
 * Writes the generated tables of README.md and docs/reference.md. They come from the registry of the
 * built server, which needs no database for this. With --check it only compares.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { fill } from './docs/sections.mjs'

const root = new URL('../', import.meta.url)

/** @type {(path: string) => Promise<any>} */
const built = (path) => import(new URL(`dist/${path}`, root).href)

const { PARTS } = await built('app.js')
const { Registry } = await built('mcp/registry.js')
const { overview, reference } = await built('mcp/reference.js')
const { ruleDocs } = await built('platform/sql-parser/lint/rules.js')

const registry = new Registry(PARTS.map((/** @type {any} */ { described }) => described))
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

/** @type {(path: string, sections: Record<string, string>) => boolean} */
function update(path, sections) {
  const url = new URL(path, root)
  const text = readFileSync(url, 'utf8')
  const wanted = fill(text, sections)
  if (!process.argv.includes('--check') && wanted !== text) writeFileSync(url, wanted)
  return wanted === text
}
