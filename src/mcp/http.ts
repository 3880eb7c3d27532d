import { randomUUID } from 'node:crypto'
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { localhostHostValidation, localhostOriginValidation } from '@modelcontextprotocol/node'
import {
  createMcpHandler,
  isInitializeRequest,
  isJSONRPCRequest,
  isJsonContentType,
  isLegacyRequest,
  type McpHttpHandler,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server'
import { parseJson } from '../lib/exact-json.js'
import type { Grant } from '../lib/grants.js'
import { isLoopback } from '../lib/loopback.js'
import { toolsetProblem } from '../lib/scope.js'
import { giveTurn } from '../lib/turns.js'
import type { Log } from '../platform/log.js'
import { type Door, METADATA_PATH } from './access/door.js'
import { grantOf } from './define.js'
import { lacksGrant } from './grants.js'
import {
  BodyTooLarge,
  readBody,
  sendJson,
  sendResponse,
  sendRpcError,
  toBodylessRequest,
} from './http-bridge.js'
import { clientOf, isListening } from './listen-limits.js'
import { Page } from './page.js'
import { refuseHandshake, refuseParameters } from './parameters.js'
import type { Registry } from './registry.js'
import { createServer, type Peer, type Serving } from './server.js'

/** A full batch of 10 000 articles fits. */
const MAX_BODY_BYTES = 32 * 1024 * 1024
/** A body of this length takes a millisecond to parse. */
const LARGE_BODY_CHARACTERS = 256 * 1024
/** A 2025-era session nobody has used for so long is forgotten; its client is told to start anew (404). */
const SESSION_IDLE_MS = 60 * 60 * 1_000
const DRAIN_MS = 5_000
/**
 * Node's own 5 s close a connection just as a service that calls every few seconds sends the next call
 * on it, which then fails. Longer than the minute that clients and proxies commonly keep one.
 */
const KEEP_ALIVE_MS = 75_000

interface HttpDeps {
  readonly serving: Serving
  readonly log: Log
  /** Who may come in. */
  readonly door: Door
  /** Null when the server can do its work; otherwise why not. */
  readonly notReady: () => Promise<string | null>
  /** What `/metrics` answers, with its type. */
  readonly metrics?: () => Promise<{ readonly type: string; readonly body: string }>
}

/** A request that is being answered. */
interface Exchange {
  readonly answered: Promise<void>
  /** Its answer ends only when somebody ends it. */
  readonly listens: boolean
}

interface LegacySession {
  readonly transport: WebStandardStreamableHTTPServerTransport
  readonly peer: Peer
  lastUsed: number
  /** Requests and streams that are open now. */
  open: number
}

/** Streamable HTTP for both protocol eras at `/mcp`, with `/healthz`, `/readyz`, `/metrics` and the page at `/` beside it. */
export class HttpEndpoint {
  readonly #deps: HttpDeps
  readonly #modern: McpHttpHandler
  readonly #page: Page
  readonly #exchanges = new Set<Exchange>()
  readonly #sessions = new Map<string, LegacySession>()
  readonly #server = createHttpServer((req, res) => void this.#handle(req, res))
  readonly #isLocalHost = localhostHostValidation()
  readonly #isLocalOrigin = localhostOriginValidation()
  readonly #sweeper: NodeJS.Timeout
  #isPublic = false

  constructor(deps: HttpDeps) {
    this.#deps = deps
    this.#page = new Page(deps.door)
    this.#modern = createMcpHandler(
      (context) => createServer(deps.serving, context.authInfo?.extra?.peer as Peer, context),
      {
        legacy: 'reject',
        bus: deps.serving.notifications.bus,
        maxRequestBodySize: MAX_BODY_BYTES,
        onerror: (error) => deps.log.debug({ err: error }, 'request refused'),
      },
    )
    this.#sweeper = setInterval(() => void this.#sweep(), SESSION_IDLE_MS / 10).unref()
    this.#server.keepAliveTimeout = KEEP_ALIVE_MS
  }

  /** Starts listening; answers the URL of the MCP endpoint. */
  async listen(host: string, port: number): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(port, host, resolve)
    })
    const { address, port: bound, family } = this.#server.address() as AddressInfo
    this.#isPublic = !isLoopback(address)
    return `http://${family === 'IPv6' ? `[${address}]` : address}:${bound}/mcp`
  }

  /** Takes no new connections, ends the streams that only listen, lets running calls finish for a while. */
  async close(): Promise<void> {
    clearInterval(this.#sweeper)
    const closed = new Promise((resolve) => this.#server.close(resolve))
    const transports = [...this.#sessions.values()].map(({ transport }) => transport)
    for (const transport of transports) transport.closeStandaloneSSEStream()
    await settled([...this.#exchanges].filter(({ listens }) => !listens))
    await this.#modern.close()
    await Promise.all(transports.map((transport) => transport.close()))
    await settled([...this.#exchanges])
    this.#server.closeAllConnections()
    await closed
  }

  async #handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    try {
      // On loopback a page of the web could reach it by another name; elsewhere everybody has a token.
      const isTrusted =
        this.#isPublic || (this.#isLocalHost(req, res) && this.#isLocalOrigin(req, res))
      if (!isTrusted) return
      const path = (req.url ?? '/').split('?')[0] ?? '/'
      if (path === '/mcp') return await this.#serveMcp(req, res)
      if (path.startsWith(METADATA_PATH)) return this.#describeAccess(req, res)
      if (path === '/healthz') return sendJson(res, 200, { status: 'ok' })
      if (path === '/readyz') return await this.#answerReadiness(res)
      if (path === '/metrics') return await this.#answerMetrics(req, res)
      if (await this.#page.serve(path, req, res)) return
      sendJson(res, 404, { error: 'not found', hint: 'MCP is served at /mcp, the page at /' })
    } catch (error) {
      this.#answerFailure(error, res)
    }
  }

  #describeAccess(req: IncomingMessage, res: ServerResponse): void {
    const metadata = this.#deps.door.metadata(req)
    sendJson(res, metadata ? 200 : 404, metadata ?? { error: 'there is no authorization server' })
  }

  async #answerReadiness(res: ServerResponse): Promise<void> {
    const reason = await this.#deps.notReady()
    sendJson(res, reason === null ? 200 : 503, { ready: reason === null, reason })
  }

  async #answerMetrics(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const { door } = this.#deps
    const { peer, refusal } = await door.admit(req)
    if (!peer) return await sendResponse(refusal, res)
    if (isLacking(peer, 'db:read')) return await sendResponse(door.lacking(req, 'db:read'), res)
    const answer = await this.#deps.metrics?.()
    if (!answer) return sendJson(res, 404, { error: 'not found', hint: 'no metrics are kept here' })
    res
      .writeHead(200, { 'content-type': answer.type, 'cache-control': 'no-store' })
      .end(answer.body)
  }

  async #serveMcp(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const methods = methodsFor(req)
    if (!methods.includes(req.method ?? '')) {
      res.setHeader('allow', methods.join(', '))
      return sendRpcError(res, 405, -32000, 'Method not allowed')
    }
    if (req.method === 'POST' && !isJsonContentType(req.headers['content-type'])) {
      return sendRpcError(res, 415, -32000, 'Content-Type must be application/json')
    }
    const { door, serving } = this.#deps
    const { peer, refusal } = await door.admit(req)
    if (!peer) return await sendResponse(refusal, res)
    const parsedBody = req.method === 'POST' ? await readJson(req) : undefined
    const refused = refuseParameters(parsedBody)
    if (refused) return sendRpcError(res, 400, refused.code, refused.message, refused.id)
    const problem = toolsetProblem(peer.scope.toolsets, serving.registry.toolsets)
    if (problem) return sendRpcError(res, 400, -32602, problem, requestId(parsedBody))
    const lacking = lackingGrant(serving.registry, peer, parsedBody)
    if (lacking) {
      await this.#rememberRefusal(peer, parsedBody, lacking)
      return await sendResponse(door.lacking(req, lacking), res)
    }
    const answered = this.#answer(toBodylessRequest(req, res), parsedBody, res, peer)
    const listens = req.method === 'GET' || isListening(parsedBody)
    const exchange = { answered, listens }
    this.#exchanges.add(exchange)
    await answered.finally(() => this.#exchanges.delete(exchange))
  }

  /** A call that the protocol refuses is remembered like any other. */
  async #rememberRefusal(peer: Peer, body: unknown, grant: Grant): Promise<void> {
    const { method, params } = Object(body)
    if (method !== 'tools/call') return
    const refusal = lacksGrant(grant, String(params.name))
    const origin = { ...peer, signal: new AbortController().signal, reply: null, progress() {} }
    await this.#deps.serving.dispatcher.refuse(params.name, params.arguments, origin, refusal)
  }

  async #answer(
    request: Request,
    parsedBody: unknown,
    res: ServerResponse,
    peer: Peer,
  ): Promise<void> {
    const session = this.#sessions.get(request.headers.get('mcp-session-id') ?? '')
    if (session) session.open++
    try {
      const isLegacy =
        !isPlainlyModern(request, parsedBody) &&
        (await isLegacyRequest(request, parsedBody ?? null))
      const response = isLegacy
        ? await this.#serveLegacy(request, parsedBody, peer)
        : await this.#serveModern(request, parsedBody, res, peer)
      await sendResponse(response, res)
    } finally {
      if (session) Object.assign(session, { open: session.open - 1, lastUsed: Date.now() })
      this.#deps.serving.notifications.listens.release(listenerOf(peer, parsedBody), res)
    }
  }

  async #serveModern(
    request: Request,
    body: unknown,
    stream: ServerResponse,
    peer: Peer,
  ): Promise<Response> {
    if (isListening(body)) {
      const { listens } = this.#deps.serving.notifications
      const refusal = listens.take(listenerOf(peer, body), stream, body)
      if (refusal) return Response.json(refusal)
    }
    const authInfo = { token: '', clientId: peer.principal, scopes: [], extra: { peer } }
    return this.#modern.fetch(request, { parsedBody: body, authInfo })
  }

  async #serveLegacy(request: Request, parsedBody: unknown, peer: Peer): Promise<Response> {
    const id = request.headers.get('mcp-session-id')
    const known = id === null ? undefined : this.#sessions.get(id)
    // To others it does not exist.
    const session = known?.peer.principal === peer.principal ? known : undefined
    if (session) {
      cancelWhenDropped(request, session.transport, parsedBody)
      return session.transport.handleRequest(request, { parsedBody })
    }
    if (id !== null) return rpcError(404, -32001, 'Session not found')
    const refused = refuseHandshake(parsedBody)
    if (refused) return rpcError(400, refused.code, refused.message, refused.id)
    if (!isInitializeRequest(parsedBody)) {
      return rpcError(400, -32000, 'Bad Request: Mcp-Session-Id header is required')
    }
    const transport = await this.#openSession(peer)
    const response = await transport.handleRequest(request, { parsedBody })
    // A refused handshake leaves no session behind that could ever be closed.
    if (transport.sessionId === undefined) await transport.close()
    return response
  }

  async #openSession(peer: Peer): Promise<WebStandardStreamableHTTPServerTransport> {
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => {
        this.#sessions.set(id, { transport, peer, lastUsed: Date.now(), open: 0 })
      },
      onsessionclosed: (id) => {
        this.#sessions.delete(id)
      },
    })
    await createServer(this.#deps.serving, peer, { era: 'legacy' }).connect(transport)
    return transport
  }

  async #sweep(): Promise<void> {
    const oldest = Date.now() - SESSION_IDLE_MS
    for (const [id, { transport, lastUsed, open }] of this.#sessions) {
      if (open > 0 || lastUsed > oldest) continue
      this.#sessions.delete(id)
      await transport.close()
    }
  }

  #answerFailure(error: unknown, res: ServerResponse): void {
    if (res.headersSent || res.destroyed) return void res.destroy()
    res.setHeader('connection', 'close')
    if (error instanceof BodyTooLarge) {
      return sendRpcError(res, 413, -32000, `The body is larger than ${MAX_BODY_BYTES} bytes`)
    }
    if (error instanceof SyntaxError) return sendRpcError(res, 400, -32700, 'Parse error')
    this.#deps.log.error({ err: error }, 'request failed')
    sendRpcError(res, 500, -32603, 'Internal server error')
  }
}

/**
 * The SDK lets a 2025-era call run on when its connection drops. Here nobody could ever fetch the
 * answer (streams are not resumed), so it is treated as cancelled, as in the 2026 era.
 */
function cancelWhenDropped(
  { signal }: Request,
  transport: WebStandardStreamableHTTPServerTransport,
  body: unknown,
): void {
  const cancel = (): void => {
    for (const message of Array.isArray(body) ? body : [body]) {
      if (!isJSONRPCRequest(message)) continue
      const params = { requestId: message.id, reason: 'the connection was dropped' }
      transport.onmessage?.({ jsonrpc: '2.0', method: 'notifications/cancelled', params })
    }
  }
  signal.addEventListener('abort', cancel, { once: true })
}

const isModern = (version: unknown): boolean => String(version ?? '') >= '2026-07-28'

/** The 2026 era has neither a stream to GET nor a session to DELETE. */
const methodsFor = (req: IncomingMessage): readonly string[] =>
  isModern(req.headers['mcp-protocol-version']) ? ['POST'] : ['POST', 'GET', 'DELETE']

/** A call that names the newer era in its header is not of the older one: the SDK need not look twice. */
const isPlainlyModern = ({ headers }: Request, body: unknown): boolean =>
  isModern(headers.get('mcp-protocol-version')) && typeof Object(body).method === 'string'

const settled = (exchanges: readonly Exchange[]): Promise<unknown> =>
  Promise.race([
    Promise.allSettled(exchanges.map(({ answered }) => answered)),
    delay(DRAIN_MS, undefined, { ref: false }),
  ])

/** After a large body, which is parsed in one go, others get their turn. */
async function readJson(req: IncomingMessage): Promise<unknown> {
  const body = await readBody(req, MAX_BODY_BYTES)
  const parsed = parseJson(body)
  if (body.length > LARGE_BODY_CHARACTERS) await giveTurn()
  return parsed
}

/** What a request needs that its caller was not granted; null when it needs no more. */
function lackingGrant(registry: Registry, peer: Peer, body: unknown): Grant | null {
  const { method, params } = Object(body)
  const tool = method === 'tools/call' ? registry.tool(String(params?.name), peer.scope) : undefined
  const needed = tool ? grantOf(tool) : READS.has(method) ? 'db:read' : null
  return needed && isLacking(peer, needed) ? needed : null
}

const isLacking = ({ scope }: Peer, needed: Grant): boolean =>
  scope.grants !== null && !scope.grants.has(needed)

const READS = new Set(['resources/read', 'resources/subscribe', 'subscriptions/listen'])

const listenerOf = ({ principal }: Peer, body: unknown): string => `${principal} ${clientOf(body)}`

const requestId = (body: unknown) => (isJSONRPCRequest(body) ? body.id : null)

const rpcError = (
  status: number,
  code: number,
  message: string,
  id: string | number | null = null,
): Response => Response.json({ jsonrpc: '2.0', error: { code, message }, id }, { status })
