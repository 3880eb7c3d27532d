import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { article } from '../support/news.js'
import { signal } from '../trading/signals.js'

const app = await startApp()
const { client } = app

/** A call as a client in another language sends it: its numbers are written, not printed by JavaScript. */
async function call(name: string, args: string) {
  const response = await fetch(app.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': name,
    },
    body: `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${name}","arguments":${args},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"test","version":"0"},"io.modelcontextprotocol/clientCapabilities":{}}}}`,
  })
  const text = await response.text()
  const data = /^data: (.*)$/m.exec(text)?.[1] ?? text
  return JSON.parse(data).result
}

const cached = (result: string) =>
  `{"symbol":"AAPL","pattern_type":"double_bottom","result":${result}}`

test.each([
  ['result.id', '{"id":1234567890123456789}', '1234567890123456789'],
  ['result.a[1].b', '{"a":[0,{"b":-9007199254740993}]}', '-9007199254740993'],
  ['result.x', '{"x":1e400}', '1e400'],
  ['result.x', '{"x":0.12345678901234567890123}', '0.12345678901234567890123'],
  [
    'result.x',
    '{"text":"\\"1234567890123456789\\\\","x":123456789012345678901234567890}',
    '123456789012345678901234567890',
  ],
])('%s: a number that JSON would change is refused by name', async (path, result, number) => {
  const { isError, structuredContent } = await call('cache_pattern_result', cached(result))
  expect({ isError, ...structuredContent }).toMatchObject({
    isError: true,
    code: 'invalid_input',
    message: `${path}: a JSON number cannot hold ${number} exactly`,
    hint: expect.stringContaining('as text'),
  })
})

test('what is sent as a number that is none says how to send it, where that helps', async () => {
  const { structuredContent } = await call('list_events', '{"after":9223372036854775807}')
  expect(structuredContent.message).toMatch(/^after: /)
  expect(structuredContent.hint).toContain('a field that takes numbers only')
  const near = await client.refused('persist_trading_signal', { ...signal(), confidence: 1.00001 })
  expect(near.message).toContain('must be 0-1')
  expect(near.message).not.toContain('did you mean')
  const percent = await client.refused('persist_trading_signal', { ...signal(), confidence: 57.3 })
  expect(percent.message).toContain('did you mean 0.573?')
})

test('what a double holds, and digits in texts, are kept', async () => {
  const result =
    '{"id":9007199254740992,"f":0.30000000000000004,"e":1e21,"z":1.0000000000000000000,"t":"1234567890123456789"}'
  const answer = await call('cache_pattern_result', cached(result))
  expect(answer.isError ?? false).toBe(false)
})

test('nesting beyond a hundred levels is refused by name, before PostgreSQL sees it', async () => {
  const nested = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`
  expect((await call('cache_pattern_result', cached(nested(50)))).isError ?? false).toBe(false)
  for (const depth of [120, 5_000, 50_000]) {
    const { structuredContent } = await call('cache_pattern_result', cached(nested(depth)))
    expect(structuredContent).toMatchObject({
      code: 'invalid_input',
      message: expect.stringMatching(/^result\.a\.a.*nested deeper than 100 levels$/),
    })
  }
  const list = `${'['.repeat(500)}${']'.repeat(500)}`
  const { structuredContent } = await call('cache_pattern_result', cached(`{"l":${list}}`))
  expect(structuredContent.message).toContain('nested deeper')
})

test.each(['+00:00', '+05:30', '%2B00:00', '-05:00', 'Z'])(
  'an instant in a query string may end in %s',
  async (zone) => {
    await client.tool('persist_news_catalyst', article())
    const { items } = await client.resource(`news?since=2001-01-01T00:00:00${zone}&limit=1`)
    expect(items).toHaveLength(1)
  },
)

test('a space elsewhere in a query stays one', async () => {
  await client.tool('persist_news_catalyst', article({ source: 'Wall Street Journal' }))
  for (const source of ['Wall+Street+Journal', 'Wall%20Street%20Journal']) {
    expect((await client.resource(`news?source=${source}`)).items).not.toEqual([])
  }
})
