import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { afterAll } from 'vitest'
import { newToken } from '../../src/mcp/access/token-file.js'
import { TestClient } from '../support/app.js'

/** A file of tokens, by the names of their bearers. */
export class Tokens {
  readonly path: string
  readonly #lines: string[] = []
  readonly #of = new Map<string, string>()

  constructor(bearers: Readonly<Record<string, string>>) {
    const folder = mkdtempSync(join(tmpdir(), 'catalyst-tokens-'))
    afterAll(() => rmSync(folder, { recursive: true }))
    this.path = join(folder, 'tokens')
    for (const [name, scopes] of Object.entries(bearers)) {
      const { token, line } = newToken(name, scopes.split(' '))
      this.#lines.push(line)
      this.#of.set(name, token)
    }
    writeFileSync(this.path, `# who may\n\n${this.#lines.join('\n')}\n`)
  }

  of(name: string): string {
    return this.#of.get(name) ?? ''
  }

  /** Takes a bearer out of the file. */
  revoke(name: string): void {
    writeFileSync(this.path, this.#lines.filter((line) => !line.startsWith(`${name}:`)).join('\n'))
  }
}

/** Connects with a token. */
export async function connectAs(url: string, token: string, era: 'legacy' | 'modern' = 'modern') {
  const sdk = new Client(
    { name: 'test', version: '0' },
    era === 'modern' ? { versionNegotiation: { mode: { pin: '2026-07-28' } } } : {},
  )
  const headers = { authorization: `Bearer ${token}` }
  await sdk.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }))
  afterAll(() => sdk.close())
  return TestClient.around(sdk)
}

/** The server's plain HTTP answer to a call, as a program without any SDK sees it. */
export async function post(
  url: string,
  headers: Record<string, string>,
  method = 'tools/list',
  params: object = {},
) {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': method,
      ...('name' in params ? { 'mcp-name': String(params.name) } : {}),
      ...headers,
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method,
      params: {
        ...params,
        _meta: {
          'io.modelcontextprotocol/protocolVersion': '2026-07-28',
          'io.modelcontextprotocol/clientInfo': { name: 'test', version: '0' },
          'io.modelcontextprotocol/clientCapabilities': {},
        },
      },
    }),
  })
  return { response, status: response.status, text: await response.text() }
}
