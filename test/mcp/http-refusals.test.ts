import { type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { startEndpoint } from '../support/endpoint.js'

const url = await startEndpoint()

const MODERN = '2026-07-28'
const MAX_BODY_BYTES = 32 * 1024 * 1024

const message = (method: string, params: object = {}) =>
  JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })

const initialize = message('initialize', {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'test', version: '0' },
})

const listTools = message('tools/list')

const modernListTools = message('tools/list', {
  _meta: {
    'io.modelcontextprotocol/protocolVersion': MODERN,
    'io.modelcontextprotocol/clientCapabilities': {},
    'io.modelcontextprotocol/clientInfo': { name: 'test', version: '0' },
  },
})
const modernHeaders = { 'mcp-protocol-version': MODERN, 'mcp-method': 'tools/list' }

interface Sent {
  readonly method?: string
  readonly headers?: OutgoingHttpHeaders
  readonly body?: string | Buffer
}

interface Received {
  readonly status: number | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** Unlike `fetch`, lets the Host header be anything. */
const send = ({ method = 'POST', headers = {}, body }: Sent): Promise<Received> =>
  new Promise((resolve, reject) => {
    const accept = 'application/json, text/event-stream'
    const sent = request(url, {
      method,
      headers: { 'content-type': 'application/json', accept, ...headers },
    })
    sent.once('error', reject)
    sent.once('response', (response) => {
      const { statusCode: status, headers } = response
      text(response).then((body) => resolve({ status, headers, body }), reject)
    })
    sent.end(body)
  })

async function refusal(sent: Sent): Promise<{ status: number | undefined; code: number }> {
  const { status, body } = await send(sent)
  return { status, code: JSON.parse(body).error.code }
}

async function openSession(): Promise<OutgoingHttpHeaders> {
  const { headers } = await send({ body: initialize })
  return { 'mcp-session-id': headers['mcp-session-id'] }
}

test.each([
  { host: 'evil.com' },
  { host: 'evil.com:8642' },
  { host: '127.0.0.1.evil.com' },
  { origin: 'https://evil.com' },
  { origin: 'null' },
])('a page of another site is kept out: %o', async (headers) => {
  expect(await refusal({ headers, body: initialize })).toEqual({ status: 403, code: -32000 })
})

test.each([{ host: 'localhost' }, { host: '[::1]:8642' }, { origin: 'http://localhost:5173' }])(
  'this machine is let in: %o',
  async (headers) => {
    const answer = await send({ headers: { ...modernHeaders, ...headers }, body: modernListTools })
    expect(answer.status).toBe(200)
  },
)

test('a body that announces more than 32 MiB is refused, and its sender lives to read why', async () => {
  const body = Buffer.alloc(MAX_BODY_BYTES + 1, ' ')
  expect(await refusal({ body })).toEqual({ status: 413, code: -32000 })
})

test('a body that grows over 32 MiB is refused', async () => {
  const body = Buffer.alloc(MAX_BODY_BYTES + 1, ' ')
  const headers = { 'transfer-encoding': 'chunked' }
  expect(await refusal({ headers, body })).toEqual({ status: 413, code: -32000 })
})

test('a body of exactly 32 MiB is read', async () => {
  const body = modernListTools.padEnd(MAX_BODY_BYTES)
  expect(await send({ headers: modernHeaders, body })).toMatchObject({ status: 200 })
})

test.each(['{"jsonrpc":', '', 'hello'])(
  'text that is not JSON is a parse error: %j',
  async (body) => {
    expect(await refusal({ body })).toEqual({ status: 400, code: -32700 })
  },
)

test.each(['null', '5', '{"a":1}', '[]'])(
  'JSON that is no message is invalid: %s',
  async (body) => {
    expect(await refusal({ body })).toEqual({ status: 400, code: -32600 })
  },
)

test.each([
  ['a 2025 handshake', initialize, {}],
  ['a 2025 request', listTools, {}],
  ['a 2026 request', modernListTools, modernHeaders],
  ['nothing in particular', 'hello', {}],
])('%s of another content type is refused', async (_, body, era) => {
  const headers = { ...era, 'content-type': 'text/plain' }
  expect(await refusal({ headers, body })).toEqual({ status: 415, code: -32000 })
})

test.each(['POST', 'GET', 'DELETE'])('%s with an unknown session is not found', async (method) => {
  const headers = { 'mcp-session-id': 'unknown' }
  const body = method === 'POST' ? listTools : ''
  expect(await refusal({ method, headers, body })).toEqual({ status: 404, code: -32001 })
})

test.each(['POST', 'GET', 'DELETE'])('%s without a session is refused', async (method) => {
  const body = method === 'POST' ? listTools : ''
  expect(await refusal({ method, body })).toEqual({ status: 400, code: -32000 })
})

test('a session that was deleted is not found', async () => {
  const headers = await openSession()
  expect(await send({ headers, body: listTools })).toMatchObject({ status: 200 })
  expect(await send({ method: 'DELETE', headers })).toMatchObject({ status: 200 })
  expect(await refusal({ headers, body: listTools })).toEqual({ status: 404, code: -32001 })
})

test.each(['GET', 'DELETE'])('the 2026 era has no %s', async (method) => {
  const answer = await send({ method, headers: { 'mcp-protocol-version': MODERN } })
  expect(answer).toMatchObject({ status: 405, headers: { allow: 'POST' } })
})

test.each(['PUT', 'PATCH', 'OPTIONS', 'HEAD', 'TRACE'])('no era has %s', async (method) => {
  const answer = await send({ method })
  expect(answer).toMatchObject({ status: 405, headers: { allow: 'POST, GET, DELETE' } })
})

test('a 2026 request whose headers disagree with its body is refused', async () => {
  const headers = { ...modernHeaders, 'mcp-method': 'tools/call' }
  expect(await refusal({ headers, body: modernListTools })).toEqual({ status: 400, code: -32020 })
})
