import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'

const { client } = await startApp()
const { tools } = await client.sdk.listTools()

interface Schema {
  readonly description?: string
  readonly properties?: Record<string, Schema>
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly allOf?: readonly Schema[]
  readonly additionalProperties?: Schema | boolean
}

/** Every field, item, member of a choice and value of a map, however deep, with where it stands. */
function* parts(schema: Schema, path: string): Generator<[string, Schema]> {
  const { properties = {}, items, anyOf = [], oneOf = [], allOf = [] } = schema
  const others = schema.additionalProperties
  const children = [
    ...Object.entries(properties).map(([name, child]) => [`${path}.${name}`, child] as const),
    ...(items ? [[`${path}[]`, items] as const] : []),
    ...[...anyOf, ...oneOf, ...allOf].map((child, i) => [`${path}<${i}>`, child] as const),
    ...(typeof others === 'object' ? [[`${path}.*`, others] as const] : []),
  ]
  for (const [where, child] of children) {
    yield [where, child]
    yield* parts(child, where)
  }
}

test.each(tools.map(({ name, inputSchema }) => [name, inputSchema as Schema] as const))(
  '%s says of everything it takes what it is',
  (name, schema) => {
    const all = [...parts(schema, name)]
    expect(all.length).toBeGreaterThan(0)
    const silent = all.filter(([, { description = '' }]) => !/^\S.+[.:*\w]$/.test(description))
    expect(silent.map(([where]) => where)).toEqual([])
  },
)
