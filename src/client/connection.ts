import { setTimeout as delay } from 'node:timers/promises'
import { Client, ProtocolError, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { ToolError } from './errors.js'

/** Where the server is: a URL such as `http://127.0.0.1:8642/mcp`, or a command that serves on its pipes. */
export type Target =
  | { readonly url: string; readonly token?: string }
  | {
      readonly command: string
      readonly args?: readonly string[]
      readonly env?: Readonly<Record<string, string>>
    }

/** Between attempts; each wait is twice as long as the one before. */
const FIRST_WAIT_MS = 100
const LONGEST_WAIT_MS = 5_000

/** A connection to the server that is made anew after it was lost. */
export class Connection {
  readonly #name: string
  readonly #target: Target
  #client: Promise<Client> | null = null
  #isClosed = false

  constructor(name: string, target: Target) {
    this.#name = name
    this.#target = target
  }

  /**
   * Does something with the connection. What may be repeated is, `attempts` times in all, when the
   * connection is lost or the server says that the same call may be sent again.
   */
  async use<T>(
    work: (client: Client) => Promise<T>,
    { attempts, signal }: { readonly attempts: number; readonly signal?: AbortSignal | undefined },
  ): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      signal?.throwIfAborted()
      const client = this.#connected()
      try {
        return await work(await client)
      } catch (error) {
        // Other calls go on over the connection of one that its caller has given up.
        if (signal?.aborted) throw error
        const isAnswer = error instanceof ToolError || error instanceof ProtocolError
        if (!isAnswer && this.#client === client) await this.#drop()
        const mayRepeat = !isAnswer || (error instanceof ToolError && error.retryable)
        if (!mayRepeat || attempt >= attempts || this.#isClosed) throw error
        const asked = error instanceof ToolError ? (error.body.retry_after_ms ?? 0) : 0
        const wait = Math.min(FIRST_WAIT_MS * 2 ** (attempt - 1), LONGEST_WAIT_MS)
        await delay(Math.max(asked, wait * (0.5 + Math.random() / 2)), undefined, { signal })
      }
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#drop()
  }

  #connected(): Promise<Client> {
    if (this.#isClosed) throw new Error('This session is closed.')
    this.#client ??= connect(this.#name, this.#target)
    return this.#client
  }

  async #drop(): Promise<void> {
    const client = this.#client
    this.#client = null
    await client?.then((open) => open.close()).catch(() => {})
  }
}

async function connect(name: string, target: Target): Promise<Client> {
  const client = new Client(
    { name, version: '1' },
    { versionNegotiation: { mode: { pin: '2026-07-28' } } },
  )
  await client.connect(transportTo(target))
  return client
}

function transportTo(target: Target) {
  if ('url' in target) {
    const headers: Record<string, string> = target.token
      ? { authorization: `Bearer ${target.token}` }
      : {}
    return new StreamableHTTPClientTransport(new URL(target.url), { requestInit: { headers } })
  }
  const { command, args = [], env } = target
  return new StdioClientTransport({ command, args: [...args], ...(env ? { env: { ...env } } : {}) })
}
