import { once } from 'node:events'
import { expect, test } from 'vitest'
import { createDatabase } from '../support/database.js'
import { spawnStdio } from '../support/stdio-lines.js'
import { waitFor } from '../support/wait-for.js'

const database = await createDatabase()

/** The built program on pipes, spoken to in lines of any text. */
function start() {
  const { child, text } = spawnStdio(database.url)
  const answers = () => {
    const lines = text()
      .split('\n')
      .filter((line) => line !== '')
    return lines.map((line) => JSON.parse(line) as { id: unknown; error?: { code: number } })
  }
  const answerTo = (id: unknown) =>
    waitFor(() => answers().find((answer) => answer.id === id), { timeoutMs: 60_000 })
  return { child, answers, answerTo, say: (line: string) => child.stdin.write(`${line}\n`) }
}

const request = (id: number, method: string, params: object) =>
  JSON.stringify({ jsonrpc: '2.0', id, method, params })
const INITIALIZE = {
  protocolVersion: '2025-06-18',
  capabilities: {},
  clientInfo: { name: 'codex-mcp-client', title: 'Codex', version: '0.165.0' },
}
const ENVELOPE = {
  _meta: {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'claude-code', version: '2.1.317' },
    'io.modelcontextprotocol/clientCapabilities': {},
  },
}

test('lines that are no messages are answered with their error, and the server lives on', async () => {
  const { say, answers, answerTo } = start()
  say('not json')
  say('{"jsonrpc":"2.0","id":7,')
  say('42')
  say('[{"jsonrpc":"2.0","id":8,"method":"ping"}]')
  say('{"id":"nine","method":"ping"}')
  say('')
  say(request(1, 'initialize', INITIALIZE))
  expect(await answerTo(1)).toMatchObject({ result: { protocolVersion: '2025-06-18' } })
  const refused = answers().filter(({ error }) => error)
  expect(refused.map(({ id, error }) => [id, error?.code])).toEqual([
    [null, -32700],
    [null, -32700],
    [null, -32600],
    [null, -32600],
    ['nine', -32600],
  ])
  say(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' }))
  const args = '{"symbol":"A","pattern_type":"double_top","result":{"id":1234567890123456789}}'
  say(
    `{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"cache_pattern_result","arguments":${args}}}`,
  )
  expect(JSON.stringify(await answerTo(2))).toContain('cannot hold 1234567890123456789 exactly')
})

test('a host that opens with server/discover is answered, and one that waits is when the server ends', async () => {
  const { say, answerTo, child } = start()
  say(request(1, 'server/discover', ENVELOPE))
  expect(await answerTo(1)).toMatchObject({
    result: { supportedVersions: expect.arrayContaining(['2026-07-28']) },
  })
  const poll = {
    name: 'list_events',
    arguments: { after: 0, types: ['db.error'], wait_ms: 25_000 },
  }
  say(request(2, 'tools/call', { ...poll, ...ENVELOPE }))
  say(request(3, 'tools/call', { name: 'list_events', arguments: {}, ...ENVELOPE }))
  await answerTo(3)
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  expect(await answerTo(2)).toMatchObject({ result: { structuredContent: { events: [] } } })
  expect(await ended).toEqual([143, null])
})

test('what was asked before standard input ended is answered, also a line without its end', async () => {
  const { child, answers } = start()
  const lines = [
    request(1, 'initialize', INITIALIZE),
    JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' }),
    request(2, 'tools/list', {}),
    request(3, 'resources/read', { uri: 'catalyst://db/status' }),
    request(4, 'tools/call', {
      name: 'list_events',
      arguments: { after: 0, types: ['db.error'], wait_ms: 25_000 },
    }),
    request(5, 'tools/call', { name: 'read_resource', arguments: { uri: 'db/status' } }),
  ]
  const ended = once(child, 'close')
  child.stdin.end(lines.join('\n'))
  expect(await ended).toEqual([0, null])
  const ids = answers().map(({ id }) => id)
  expect(ids.sort()).toEqual([1, 2, 3, 4, 5])
  expect(answers().filter(({ error }) => error)).toEqual([])
})

test('a server that nobody asks anything ends as well when its output is closed', async () => {
  const { say, answerTo, child } = start()
  say(request(1, 'initialize', INITIALIZE))
  await answerTo(1)
  const ended = once(child, 'exit')
  child.stdout.destroy()
  expect((await ended)[0]).toBe(0)
})

test('a server whose answers nobody reads any more ends', async () => {
  const { say, answerTo, child } = start()
  say(request(1, 'initialize', INITIALIZE))
  await answerTo(1)
  const ended = once(child, 'exit')
  child.stdout.destroy()
  say(request(2, 'ping', {}))
  expect((await ended)[0]).toBe(0)
})
