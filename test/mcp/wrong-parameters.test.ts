import { expect, test } from 'vitest'
import { createDatabase } from '../support/database.js'
import { startEndpoint } from '../support/endpoint.js'
import { spawnStdio } from '../support/stdio-lines.js'
import { waitFor } from '../support/wait-for.js'

const url = await startEndpoint()

type Params = unknown
/** What a request is answered. */
interface Answer {
  readonly id: unknown
  readonly result?: unknown
  readonly error?: { readonly code: number; readonly message: string }
}
/** Sends one request, and answers what came back. */
type Send = (method: string, params: Params) => Promise<Answer>

const HANDSHAKE = {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'raw', version: '0' },
}
const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
  'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '0' },
}
const request = (id: number, method: string, params: Params) =>
  JSON.stringify({ jsonrpc: '2.0', id, method, ...(params === undefined ? {} : { params }) })

/** With the envelope of the 2026 era, where there is something that can have it. */
const enveloped = (params: Params): Params =>
  typeof params === 'object' && params !== null && !Array.isArray(params)
    ? { ...params, _meta: { ...META, ...Object(Reflect.get(params, '_meta')) } }
    : params

async function post(body: string, headers: Record<string, string>) {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...headers,
    },
    body,
  })
  const text = await response.text()
  const answer: Answer = JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? text)
  return { answer, session: response.headers.get('mcp-session-id') ?? '' }
}

const overHttp: Record<string, () => Promise<Send>> = {
  'HTTP, 2025 era': async () => {
    const { session } = await post(request(0, 'initialize', HANDSHAKE), {})
    return async (method, params) =>
      (await post(request(1, method, params), { 'mcp-session-id': session })).answer
  },
  'HTTP, 2026 era': async () => async (method, params) => {
    const headers = {
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': method,
      'mcp-name': String(Object(params).name ?? Object(params).uri),
    }
    return (await post(request(1, method, enveloped(params)), headers)).answer
  },
}

/** The built program, spoken to in lines. */
async function startStdio(): Promise<Send> {
  const database = await createDatabase()
  const { child, text } = spawnStdio(database.url)
  let id = 0
  return (method, params) => {
    const own = ++id
    child.stdin.write(`${request(own, method, params)}\n`)
    return waitFor(() => {
      const lines = text().split('\n').slice(0, -1)
      return lines.map((line): Answer => JSON.parse(line)).find((answer) => answer.id === own)
    })
  }
}

const overStdio: Record<string, () => Promise<Send>> = {
  'stdio, 2025 era': async () => {
    const send = await startStdio()
    await send('initialize', HANDSHAKE)
    return send
  },
  'stdio, 2026 era': async () => {
    const send = await startStdio()
    await send('server/discover', enveloped({}))
    return (method, params) => send(method, enveloped(params))
  },
}

/** Wrong parameters, with the field that has to be named. */
const WRONG: readonly (readonly [method: string, params: Params, field: string])[] = [
  ['tools/call', {}, 'params.name'],
  ['tools/call', { name: 5 }, 'params.name'],
  ['tools/call', { name: 'read_resource', arguments: 'db/status' }, 'params.arguments'],
  ['tools/call', { name: 'read_resource', arguments: [] }, 'params.arguments'],
  ['tools/call', { name: 'x', _meta: { progressToken: {} } }, 'params._meta.progressToken'],
  ['tools/call', 'read_resource', 'params'],
  ['tools/call', [], 'params'],
  ['tools/call', null, 'params'],
  ['tools/list', { cursor: 5 }, 'params.cursor'],
  ['tools/list', 5, 'params'],
  ['resources/list', { cursor: {} }, 'params.cursor'],
  ['resources/templates/list', { cursor: [] }, 'params.cursor'],
  ['resources/read', {}, 'params.uri'],
  ['resources/read', { uri: 5 }, 'params.uri'],
]
/** The same where only the 2025 era has the method, or nothing is required of every request. */
const WRONG_IN_2025: typeof WRONG = [
  ['tools/call', undefined, 'params'],
  ['resources/read', undefined, 'params'],
  ['resources/subscribe', {}, 'params.uri'],
  ['resources/unsubscribe', { uri: null }, 'params.uri'],
  ['tools/list', { _meta: 5 }, 'params._meta'],
]
const WRONG_HANDSHAKES: typeof WRONG = [
  ['initialize', undefined, 'params'],
  ['initialize', null, 'params'],
  ['initialize', [], 'params'],
  ['initialize', {}, 'params.protocolVersion'],
  ['initialize', { ...HANDSHAKE, protocolVersion: 5 }, 'params.protocolVersion'],
  ['initialize', { ...HANDSHAKE, capabilities: 'all' }, 'params.capabilities'],
  ['initialize', { ...HANDSHAKE, clientInfo: undefined }, 'params.clientInfo'],
  ['initialize', { ...HANDSHAKE, clientInfo: { name: 'x' } }, 'params.clientInfo.version'],
]

/** Each is answered as what it is, in one sentence that names the field. */
async function expectNamed(send: Send, wrong: typeof WRONG) {
  for (const [method, params, field] of wrong) {
    const { error } = await send(method, params)
    expect([method, params, error?.code]).toEqual([method, params, -32602])
    expect(error?.message).toContain(`Invalid params of ${method}: `)
    expect(error?.message).toContain(`${field}: `)
    expect(error?.message).not.toMatch(/[\n{}]/)
  }
}

test.each(Object.entries({ ...overHttp, ...overStdio }))(
  'wrong parameters are answered with -32602 and the field: %s',
  async (name, open) => {
    const send = await open()
    await expectNamed(send, WRONG)
    if (name.includes('2025')) await expectNamed(send, WRONG_IN_2025)
    expect(await send('tools/list', {})).toHaveProperty('result.tools')
  },
)

test('a wrong handshake over HTTP is answered so too', async () => {
  const send: Send = async (method, params) => (await post(request(1, method, params), {})).answer
  await expectNamed(send, WRONG_HANDSHAKES)
})

test('a wrong handshake on stdio is answered so too, and a right one after it served', async () => {
  const send = await startStdio()
  await expectNamed(send, WRONG_HANDSHAKES)
  expect(await send('initialize', HANDSHAKE)).toHaveProperty('result.serverInfo')
})
