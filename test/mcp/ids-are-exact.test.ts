import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { fill, uniqueSymbol } from '../trading/support.js'

const { client } = await startApp()

interface Schema {
  readonly type?: unknown
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
}

/** The arguments of a tool that are ids, keys or tokens, each with the way to it. */
const idsOf = (schema: Schema, path: readonly string[] = []): (readonly string[])[] =>
  Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const here = [...path, name]
    const isId = /_(id|ids|key|token)$/.test(name) && (field.items ?? field).type === 'string'
    return isId ? [here] : idsOf(field, here)
  })

const nest = (
  [name = '', ...rest]: readonly string[],
  value: unknown,
): Record<string, unknown> => ({
  [name]: rest.length > 0 ? nest(rest, value) : value,
})

/** A tab, a no-break space, a byte order mark, a space of no width, and look-alikes of x. */
const HIDDEN = [
  ' x',
  'x ',
  '\tx',
  'x\n',
  '\u00a0x',
  'x\ufeff',
  'x\u200b',
  '\u2060x',
  '\u0445',
  'x\u0301',
  '',
]

test('no tool takes an id with what no eye sees', async () => {
  const { tools } = await client.sdk.listTools()
  const ids = tools.flatMap(({ name, inputSchema }) =>
    idsOf(inputSchema as Schema).map((path) => ({ name, path })),
  )
  const named = new Set(ids.map(({ path }) => path.at(-1)))
  for (const id of ['execution_id', 'order_id', 'signal_id', 'news_ids', 'job_id', 'session_id']) {
    expect(named).toContain(id)
  }
  for (const { name, path } of ids) {
    const isList = path.at(-1)?.endsWith('_ids')
    for (const value of HIDDEN) {
      const { code, message } = await client.refused(name, nest(path, isList ? [value] : value))
      expect(code).toBe('invalid_input')
      expect(message).toContain(`${path.join('.')}${isList ? '[0]' : ''}: must be `)
    }
  }
})

test('a fill whose id came with a space is not another fill: it is refused', async () => {
  const symbol = uniqueSymbol()
  const execution_id = `x-${symbol}`
  await client.tool('persist_trade_execution', fill({ symbol, execution_id }))
  for (const other of [`${execution_id} `, `\u00a0${execution_id}`, `${execution_id}\u200b`]) {
    const error = await client.refused(
      'persist_trade_execution',
      fill({ symbol, execution_id: other }),
    )
    expect(error).toMatchObject({
      code: 'invalid_input',
      message: expect.stringContaining('execution_id: must be printable ASCII without spaces'),
    })
  }
  const { items } = await client.resource(`positions?symbol=${symbol}`)
  expect(items).toMatchObject([{ qty_open: '100' }])
})

test.each(['signals/%20x', 'trades?signal_id=x%C2%A0', 'jobs/x%E2%80%8B', 'news/%20x'])(
  '%s is refused by the name of its id',
  async (uri) => {
    await expect(client.resource(uri)).rejects.toThrow(/(signal|job|news)_id: must be /)
  },
)
