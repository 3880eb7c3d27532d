import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { article } from '../support/news.js'
import { sendRaw } from '../support/raw-call.js'

const { client, url, connect } = await startApp()

const callRaw = (tool: string, args: string) => sendRaw(url, tool, args)

test.for([
  ['db/status', 'a bare path'],
  ['catalyst://db/status', 'the scheme'],
  ['CATALYST://db/status', 'the scheme in capitals'],
  ['db/performance/connections?limit=5', 'a parameter'],
  ['catalyst://db/connections?limit=5', 'the short name'],
])('%s is read (%s)', async ([uri = '']) => {
  for (const era of ['legacy', 'modern'] as const) {
    expect(typeof (await (await connect(era)).resource(uri))).toBe('object')
  }
})

test.for([
  'db/statu',
  'db/status/x',
  'file:///etc/passwd',
  '../../etc/passwd',
  'catalyst://',
  '',
  'db/sessions/%00',
  'db/sessions/%E0%A4%A',
  'http://127.0.0.1/db/status',
])('the URI %j is refused without a stack or a path of this machine', async (uri) => {
  await expect(client.resource(uri)).rejects.toThrow(
    expect.objectContaining({ message: expect.not.stringMatching(/node_modules|src\/|\n\s+at /) }),
  )
})

test('a bad parameter is named together with the allowed ones', async () => {
  await expect(client.resource('db/performance/connections?limit=0')).rejects.toMatchObject({
    code: -32602,
    message: expect.stringMatching(/limit.*Allowed parameters: limit/s),
  })
  await expect(client.resource('db/status?verbose=1')).rejects.toMatchObject({
    code: -32602,
    message: expect.stringMatching(/verbose.*takes no parameters/s),
  })
})

test('an unknown tool is answered with the nearest names', async () => {
  for (const name of ['persist_news', 'persist_trade', 'run_migration']) {
    await expect(client.sdk.callTool({ name, arguments: {} })).rejects.toMatchObject({
      code: -32602,
    })
  }
  await expect(client.sdk.callTool({ name: 'persist_news', arguments: {} })).rejects.toThrow(
    /persist_news_catalyst.*persist_news_batch|persist_news_batch.*persist_news_catalyst/,
  )
})

test('arguments nested twenty thousand deep are refused, and the server goes on', async () => {
  const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`
  for (const args of [`{"headline":${deep}}`, `{"uri":"db/status","x":${deep}}`]) {
    const { text } = await callRaw('read_resource', args)
    expect(text).toMatch(/invalid_input|-32/)
    expect(text).not.toMatch(/stack|RangeError/i)
  }
  expect((await client.resource('db/status')).postgresql.status).toBe('up')
})

test('a __proto__ in the arguments is an unknown field like any other', async () => {
  const { text } = await callRaw('read_resource', '{"uri":"db/status","__proto__":{"polluted":1}}')
  expect(text).toMatch(/__proto__|"status"/)
  expect(Reflect.get({}, 'polluted')).toBeUndefined()
})

test('driver text never reaches a client: an internal failure is a reference', async () => {
  const { text } = await callRaw(
    'execute_transaction',
    '{"session_id":"sess_x","operations":[{"tool":"constructor","params":{}}]}',
  )
  expect(text).not.toMatch(/relation|syntax error|pg_|node:internal/)
})

test('a field of the wrong type is named in a batch and alone alike', async () => {
  const error = await client.refused('persist_news_catalyst', article({ headline: 42 }))
  expect(error).toMatchObject({
    code: 'invalid_input',
    message: expect.stringContaining('headline'),
  })
  expect(error.reference).toMatch(/^[0-9a-f-]{36}$/)
})
