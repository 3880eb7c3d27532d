import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { fill, uniqueSymbol } from '../trading/support.js'

const { client } = await startApp()
const { tools } = await client.sdk.listTools()

interface Node {
  readonly [key: string]: unknown
}

/** Every schema within a schema, with where it stands. */
function* nodes(schema: Node, path: string): Generator<[string, Node]> {
  yield [path, schema]
  for (const [key, value] of Object.entries(schema)) {
    if (key === 'default' || key === 'enum' || key === 'const') continue
    for (const [name, child] of Object.entries(Object(value))) {
      if (typeof child === 'object' && child !== null && !Array.isArray(child)) {
        yield* nodes(child as Node, `${path}.${key}.${name}`)
      }
    }
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      if (key !== 'properties') yield* nodes(value as Node, `${path}.${key}`)
    }
  }
}

test.each(tools.map(({ name, inputSchema }) => [name, inputSchema as Node] as const))(
  '%s: one type per field, a type for every enum, no choice at the root',
  (_, schema) => {
    expect(schema).toMatchObject({ type: 'object' })
    for (const choice of ['anyOf', 'oneOf', 'allOf', 'not'])
      expect(schema).not.toHaveProperty(choice)
    for (const [path, node] of nodes(schema, '')) {
      const described = JSON.stringify({ path, node })
      expect(Array.isArray(node.type), described).toBe(false)
      if (node.enum || node.const !== undefined) expect(typeof node.type, described).toBe('string')
      if (Array.isArray(node.enum)) expect(node.enum, described).not.toContain(null)
    }
  },
)

test('an exact number is shown as text and accepted as a number all the same', async () => {
  const tool = tools.find(({ name }) => name === 'persist_trade_execution')
  expect(Reflect.get(Object(tool?.inputSchema.properties), 'quantity')).toMatchObject({
    type: 'string',
  })
  for (const quantity of [100.25, '100.25']) {
    const { position } = await client.tool(
      'persist_trade_execution',
      fill({ quantity, symbol: uniqueSymbol() }),
    )
    expect(position.qty_open).toBe('100.25')
  }
})
