import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import { isJsonContentType } from '@modelcontextprotocol/server'
import { packageFile } from '../lib/package-files.js'
import type { Door } from './access/door.js'
import { isFromOwnPage } from './access/page-sessions.js'
import { readBody, sendJson, sendResponse } from './http-bridge.js'

/** Where the page is, and what it consists of. */
const FILES: Readonly<Record<string, { readonly file: string; readonly type: string }>> = {
  '/': { file: 'index.html', type: 'text/html; charset=utf-8' },
  '/page/main.js': { file: 'main.js', type: 'text/javascript; charset=utf-8' },
  '/page/page.css': { file: 'page.css', type: 'text/css; charset=utf-8' },
  '/page/icon.svg': { file: 'icon.svg', type: 'image/svg+xml' },
}

/** Where one signs in (POST a token), out (DELETE), and asks who one is (GET). */
const SESSION = '/session'
const MAX_TOKEN_BYTES = 16 * 1024

/** Scripts and styles are files of this server; nothing is fetched from elsewhere, nothing embeds the page. */
const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-cache',
}

interface PageFile {
  readonly type: string
  readonly etag: string
  readonly plain: Buffer
  readonly gzip: Buffer
}

/** The operator's page and its sign-in. What it shows it reads at `/mcp`, like any other client. */
export class Page {
  readonly #door: Door
  readonly #files = new Map<string, PageFile | null>()

  constructor(door: Door) {
    this.#door = door
  }

  /** Answers a request for the page; false when it is for something else. */
  async serve(path: string, req: IncomingMessage, res: ServerResponse): Promise<boolean> {
    if (path === SESSION) await this.#serveSession(req, res)
    else if (Object.hasOwn(FILES, path)) this.#serveFile(path, req, res)
    else return false
    return true
  }

  #serveFile(path: string, req: IncomingMessage, res: ServerResponse): void {
    if (req.method !== 'GET' && req.method !== 'HEAD') return refuseMethod(res, 'GET, HEAD')
    const file = this.#file(path)
    if (!file) {
      return sendJson(res, 404, { error: 'not found', hint: 'The page is made by npm run build.' })
    }
    const isPacked = /\bgzip\b/.test(String(req.headers['accept-encoding'] ?? ''))
    const body = isPacked ? file.gzip : file.plain
    const etag = `"${file.etag}${isPacked ? '-gzip' : ''}"`
    const headers = { ...HEADERS, etag, vary: 'accept-encoding' }
    if (req.headers['if-none-match'] === etag) return void res.writeHead(304, headers).end()
    res.writeHead(200, {
      ...headers,
      'content-type': file.type,
      'content-length': body.length,
      ...(isPacked ? { 'content-encoding': 'gzip' } : {}),
    })
    res.end(req.method === 'HEAD' ? undefined : body)
  }

  /** Read once: the files do not change while the program that they belong to runs. */
  #file(path: string): PageFile | null {
    const known = this.#files.get(path)
    if (known !== undefined) return known
    const read = readPageFile(path)
    this.#files.set(path, read)
    return read
  }

  async #serveSession(req: IncomingMessage, res: ServerResponse): Promise<void> {
    res.setHeader('cache-control', 'no-store')
    if (req.method === 'GET') return sendJson(res, 200, await this.#door.whoIs(req))
    if (req.method !== 'POST' && req.method !== 'DELETE') {
      return refuseMethod(res, 'GET, POST, DELETE')
    }
    if (!isFromOwnPage(req)) {
      return sendJson(res, 403, { error: 'only the page of this server signs in and out' })
    }
    if (req.method === 'DELETE') {
      res.setHeader('set-cookie', this.#door.signOut(req))
      return void res.writeHead(204).end()
    }
    if (!isJsonContentType(req.headers['content-type'])) {
      return sendJson(res, 415, { error: 'Content-Type must be application/json' })
    }
    const { token } = Object(JSON.parse(await readBody(req, MAX_TOKEN_BYTES)))
    const { cookie, refusal } = await this.#door.signIn(req, String(token ?? ''))
    if (refusal) return await sendResponse(refusal, res)
    res.setHeader('set-cookie', cookie)
    res.writeHead(204).end()
  }
}

function readPageFile(path: string): PageFile | null {
  const { file, type } = FILES[path] as (typeof FILES)[string]
  try {
    const plain = readFileSync(packageFile(`dist/page/${file}`))
    const etag = createHash('sha256').update(plain).digest('base64url').slice(0, 22)
    return { type, etag, plain, gzip: gzipSync(plain, { level: 9 }) }
  } catch {
    return null
  }
}

function refuseMethod(res: ServerResponse, allowed: string): void {
  res.setHeader('allow', allowed)
  sendJson(res, 405, { error: 'method not allowed' })
}
