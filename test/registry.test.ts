import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { fill } from '../scripts/docs/sections.mjs'
import { overview, reference } from '../src/mcp/reference.js'
import { ruleDocs } from '../src/platform/sql-parser/lint/rules.js'
import { startApp } from './support/app.js'
import { describedRegistry } from './support/registry.js'

const ROOT = resolve(import.meta.dirname, '..')
const MAX_DESCRIPTION = 600
const MAX_TOOLS = 36
/** A model reads the list before it does anything else: 48 kB in all, when the operations plane is there. */
const MAX_LIST_BYTES = 48 * 1024
const MAX_DOMAIN_BYTES = 12 * 1024

const VERBS = [
  'analyze',
  'cache',
  'cancel',
  'create',
  'decide',
  'discard',
  'end',
  'execute',
  'get',
  'invalidate',
  'list',
  'optimize',
  'persist',
  'query',
  'read',
  'restore',
  'rollback',
  'run',
  'start',
  'sync',
  'update',
  'verify',
  'warm',
]

const registry = describedRegistry()
const tools = [...registry.tools.values()]
const { toolList, resources } = registry
const sources = testSources()

test('there are tools and resources to judge', () => {
  expect(tools.length).toBeGreaterThan(0)
  expect(tools.length).toBeLessThanOrEqual(MAX_TOOLS)
  expect(resources.length).toBeGreaterThan(0)
})

test('every path is served once', () => {
  const paths = resources.map(({ path }) => path)
  expect(new Set(paths).size).toBe(paths.length)
})

test.each(tools)('$name is a verb and a noun', ({ name }) => {
  expect(name).toMatch(/^[a-z]+(_[a-z]+)+$/)
  expect(VERBS).toContain(name.split('_')[0])
})

test.each(tools)('$name says what it does in few words', ({ title, description, effect }) => {
  expect(title).toMatch(/^[A-Z]/)
  expect(description).toMatch(/^[A-Z].{40,}\.$/s)
  expect(description.length).toBeLessThan(MAX_DESCRIPTION)
  expect(['read', 'write', 'destroy']).toContain(effect)
})

test.each(toolList)('$name has all hints and both schemas', (tool) => {
  expect(tool.annotations).toEqual({
    readOnlyHint: expect.any(Boolean),
    destructiveHint: expect.any(Boolean),
    idempotentHint: expect.any(Boolean),
    openWorldHint: expect.any(Boolean),
  })
  expect(tool.inputSchema).toMatchObject({ type: 'object', additionalProperties: false })
  expect(tool.outputSchema).toMatchObject({ type: 'object', properties: expect.any(Object) })
})

test.each(tools)(
  '$name asks before it acts if it can destroy, and only then',
  ({ effect, confirm }) => {
    expect(confirm !== null).toBe(effect === 'destroy')
  },
)

test.each(resources)('$path says what it tells in few words', ({ title, description }) => {
  expect(title).toMatch(/^[A-Z]/)
  expect(description).toMatch(/^[A-Z].{40,}\.$/s)
  expect(description.length).toBeLessThan(MAX_DESCRIPTION)
})

test('the list of tools fits into what a model can spare for it', () => {
  expect(bytes(toolList)).toBeLessThanOrEqual(MAX_LIST_BYTES)
  for (const domain of new Set(tools.map((tool) => tool.domain))) {
    const listed = toolList.filter(({ name }) => registry.tools.get(name)?.domain === domain)
    expect(bytes(listed), domain).toBeLessThanOrEqual(MAX_DOMAIN_BYTES)
  }
})

test.each(tools)('$name is called by a test', ({ name }) => {
  expect(sources.some((source) => new RegExp(`['"\`]${name}['"\`]`).test(source))).toBe(true)
})

test.each(resources)('$path is read by a test', ({ path }) => {
  const others = resources.map((resource) => resource.path).filter((other) => other !== path)
  const pattern = path.replace(/\{\w+\}/g, '[^\'"`?/]+')
  const uri = new RegExp(`['"\`](?:catalyst://)?(${pattern})['"\`?]`, 'g')
  const found = sources.flatMap((source) => [...source.matchAll(uri)].map(([, read]) => read ?? ''))
  expect(found.filter((read) => !others.includes(read))).not.toEqual([])
})

test('what is documented is what is served, in the same order each time', async () => {
  const { client } = await startApp()
  const { tools: first } = await client.sdk.listTools()
  const { tools: second } = await client.sdk.listTools()
  expect(second).toEqual(first)
  const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1)
  expect([...first].sort(byName)).toEqual([...toolList].sort(byName))
  const { resources: served } = await client.sdk.listResources()
  const { resourceTemplates } = await client.sdk.listResourceTemplates()
  expect([...served].sort(byName)).toEqual([...registry.resourceList].sort(byName))
  expect([...resourceTemplates].sort(byName)).toEqual([...registry.templateList].sort(byName))
})

test.each([
  ['README.md', overview(registry)],
  ['docs/reference.md', reference(registry, ruleDocs())],
])('%s is up to date: else run "npm run docs"', (path, sections) => {
  const text = readFileSync(join(ROOT, path), 'utf8')
  expect(fill(text, sections) === text).toBe(true)
})

test('a document without a place for a section is refused', () => {
  const place = '<!-- generated:tools -->\n<!-- /generated:tools -->'
  expect(fill(place, { tools: '| a |' })).toContain('| a |')
  expect(() => fill('', { tools: '' })).toThrow('there is no place for: tools')
  expect(() => fill(place, {})).toThrow('nothing is generated for "tools"')
  expect(() => fill('<!-- generated:tools -->', { tools: '' })).toThrow('is not closed')
})

function bytes(listed: readonly unknown[]): number {
  return Buffer.byteLength(JSON.stringify(listed))
}

/** All tests but the ones about names. */
function testSources(): string[] {
  return readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.includes('/') && path.endsWith('.test.ts'))
    .map((path) => readFileSync(join(import.meta.dirname, path), 'utf8'))
}
