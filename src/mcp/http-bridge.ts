import type { IncomingMessage, ServerResponse } from 'node:http'
import { isJsonContentType } from '@modelcontextprotocol/server'

/** A body over the limit; answered with 413 before anything is parsed. */
export class BodyTooLarge extends Error {}

/** How many times the limit is read to its end before the sender is cut off. */
const PATIENCE = 4

/**
 * Reads a request's body as text, at most `limit` bytes. What is larger is read on and dropped: a
 * client whose connection closes while it sends sees a broken pipe instead of the 413.
 */
export async function readBody(req: IncomingMessage, limit: number): Promise<string> {
  if (Number(req.headers['content-length']) > limit * PATIENCE) throw new BodyTooLarge()
  let chunks: Buffer[] = []
  let received = 0
  for await (const chunk of req) {
    received += chunk.length
    if (received > limit) chunks = []
    else chunks.push(chunk)
    if (received > limit * PATIENCE) throw new BodyTooLarge()
  }
  if (received > limit) throw new BodyTooLarge()
  return Buffer.concat(chunks).toString('utf8')
}

/**
 * The web-standard request the SDK's handlers take, without its body: that is handed over parsed, so
 * a batch of megabytes is not serialised a second time. Its signal aborts when the client goes away.
 *
 * It has what handlers read of a request that comes with its body parsed, and no more: a `Request`
 * of the platform costs as much as all of HTTP, for it parses its URL, copies its headers and
 * follows its signal with one of its own.
 */
export function toBodylessRequest(req: IncomingMessage, res: ServerResponse): Request {
  const gone = new AbortController()
  res.once('close', () => {
    if (!res.writableFinished) gone.abort()
  })
  const { method = 'GET', url = '/', headers } = req
  const get = (name: string): string | null => {
    if (name.toLowerCase() === 'accept') return acceptOf(headers.accept)
    const value = headers[name.toLowerCase()]
    return value === undefined ? null : Array.isArray(value) ? value.join(', ') : value
  }
  const has = (name: string): boolean => get(name) !== null
  const request = { method, url, headers: { get, has }, signal: gone.signal, body: null }
  return request as unknown as Request
}

/** Who accepts anything, or does not say, accepts both forms of an answer; the SDK wants them named. */
const acceptOf = (accept: string | undefined): string =>
  accept === undefined || /(^|[,\s])\*\/\*/.test(accept)
    ? 'application/json, text/event-stream'
    : accept

/**
 * Writes a web-standard response out: JSON, which is complete, in one piece, for each piece is a
 * system call; a stream chunk by chunk and no faster than the client reads.
 */
export async function sendResponse(response: Response, res: ServerResponse): Promise<void> {
  if (res.destroyed) return void (await response.body?.cancel())
  const headers = Object.fromEntries(response.headers)
  if (!response.body) {
    res.writeHead(response.status, headers).end()
    return
  }
  if (isJsonContentType(headers['content-type'])) {
    const body = await response.text()
    const length = Buffer.byteLength(body)
    res.writeHead(response.status, { ...headers, 'content-length': length }).end(body)
    return
  }
  res.writeHead(response.status, headers)
  res.flushHeaders()
  const reader = response.body.getReader()
  const closed = new Promise<void>((resolve) => res.once('close', resolve))
  closed.then(() => reader.cancel()).catch(() => {})
  for (;;) {
    const { done, value } = await reader.read()
    if (done || res.destroyed) break
    if (!res.write(value)) await Promise.race([drained(res), closed])
  }
  res.end()
}

/** Answers with JSON. */
export function sendJson(res: ServerResponse, status: number, body: unknown): void {
  res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

/** Answers a request that never reached the protocol with a JSON-RPC error. */
export const sendRpcError = (
  res: ServerResponse,
  status: number,
  code: number,
  message: string,
  id: string | number | null = null,
): void => sendJson(res, status, { jsonrpc: '2.0', error: { code, message }, id })

const drained = (res: ServerResponse): Promise<void> =>
  new Promise((resolve) => res.once('drain', resolve))
