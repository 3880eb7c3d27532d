import { once } from 'node:events'
import {
  request as ask,
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import { buffer } from 'node:stream/consumers'

/** One request as it comes by. */
export interface Passing {
  readonly method: string
  /** Path and query. */
  readonly path: string
}

/** What becomes of a request instead of its answer. */
export type Fault =
  /** The server's answer, which it never saw. */
  | { readonly kind: 'answer'; readonly status: number; readonly code: string }
  /** The connection ends before the request is read; the server never sees it. */
  | { readonly kind: 'reset' }
  /** The server does it, and its answer is lost. */
  | { readonly kind: 'lose' }
  /** The answer ends after so many bytes. */
  | { readonly kind: 'cut'; readonly bytes: number }
  /** What the same request was answered before. */
  | { readonly kind: 'stale' }

/** Stands between a client and an S3 server, and lets go wrong what is told. */
export class S3Proxy {
  readonly #server: Server
  readonly #target: URL
  /** Every request that came by. */
  readonly seen: Passing[] = []
  /** Decides what becomes of a request; null: it passes. */
  fault: (passing: Passing, nth: number) => Fault | null | Promise<Fault | null> = () => null
  readonly #answers = new Map<
    string,
    { status: number; headers: IncomingMessage['headers']; body: Buffer }
  >()

  private constructor(target: string) {
    this.#target = new URL(target)
    this.#server = createServer((request, response) => {
      this.#pass(request, response).catch(() => response.destroy())
    })
  }

  static async start(target: string): Promise<S3Proxy> {
    const proxy = new S3Proxy(target)
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  get endpoint(): string {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('no TCP address')
    return `http://127.0.0.1:${address.port}`
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url: path = '' } = request
    const passing = { method, path }
    this.seen.push(passing)
    const fault = await this.fault(passing, this.seen.length)
    if (fault?.kind === 'reset') {
      request.socket.resetAndDestroy()
      return
    }
    const body = await buffer(request)
    if (fault?.kind === 'answer') {
      response.writeHead(fault.status, { 'content-type': 'application/xml' })
      response.end(method === 'HEAD' ? undefined : errorOf(fault.code))
      return
    }
    const known = fault?.kind === 'stale' ? this.#answers.get(`${method} ${path}`) : undefined
    const { status, headers, body: answer } = known ?? (await this.#forward(request, body))
    if (fault?.kind === 'lose') {
      request.socket.resetAndDestroy()
      return
    }
    if (method === 'GET') this.#answers.set(`${method} ${path}`, { status, headers, body: answer })
    response.writeHead(status, headers)
    if (fault?.kind !== 'cut') response.end(answer)
    else response.write(answer.subarray(0, fault.bytes), () => request.socket.resetAndDestroy())
  }

  async #forward(request: IncomingMessage, body: Buffer) {
    // The signature is over the host that the client named, which therefore stays.
    const { expect: _, ...headers } = request.headers
    const { hostname, port } = this.#target
    const forwarded = ask({ hostname, port, method: request.method, path: request.url, headers })
    // Swift sends five bytes more after an answer without a body; the answer before them is whole.
    forwarded.on('error', () => undefined)
    forwarded.end(body)
    const [answer] = (await once(forwarded, 'response')) as [IncomingMessage]
    return { status: answer.statusCode ?? 502, headers: answer.headers, body: await buffer(answer) }
  }
}

const errorOf = (code: string): string =>
  `<?xml version="1.0"?><Error><Code>${code}</Code><Message>as told</Message></Error>`

/**
 * A bucket whose objects may neither be overwritten nor removed, as one under Object Lock whose key has no right
 * to go around it.
 */
export function lockedBucket(proxy: S3Proxy): void {
  const written = new Set<string>()
  proxy.fault = ({ method, path }) => {
    const [key = '', query = ''] = path.split('?')
    const isUpload = query.includes('uploadId=') || query.includes('uploads')
    if (method === 'DELETE' && !isUpload)
      return { kind: 'answer', status: 403, code: 'AccessDenied' }
    const isEnd = method === 'POST' && query.includes('uploadId=')
    const isWhole = method === 'PUT' && !isUpload
    if (!isEnd && !isWhole) return null
    if (written.has(key)) return { kind: 'answer', status: 403, code: 'AccessDenied' }
    written.add(key)
    return null
  }
}
