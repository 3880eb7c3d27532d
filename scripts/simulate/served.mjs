// @ts-check
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'

const ROOT = new URL('../../', import.meta.url)
const MAIN = fileURLToPath(new URL('dist/main.js', ROOT))
const READY_MS = 120_000
const STOP_MS = 60_000
const CALL_MS = 300_000
const ERA = '2026-07-28'

/** The built program on services of its own, in a folder that does not outlive it. */
export class Served {
  url = ''
  #parent = mkdtempSync(join(tmpdir(), 'catalyst-db-simulate-'))
  #dataDir = join(this.#parent, 'data')
  #child
  /** @type {Promise<void> | undefined} */
  #stopping

  constructor() {
    this.#child = spawn(process.execPath, [MAIN, 'serve'], {
      env: {
        PATH: process.env.PATH ?? '',
        HOME: process.env.HOME ?? '',
        CATALYST_DATA_DIR: this.#dataDir,
        PORT: '0',
        LOG_LEVEL: 'warn',
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
  }

  /** Waits until it listens. */
  async ready() {
    const { stdout } = this.#child
    const signal = AbortSignal.timeout(READY_MS)
    const ended = once(this.#child, 'exit', { signal }).then(([code]) => {
      throw new Error(`the server ended with ${code} before it listened`)
    })
    ended.catch(() => {})
    let printed = ''
    while (this.url === '') {
      const [chunk] = await Promise.race([once(stdout, 'data', { signal }), ended])
      printed += chunk
      this.url = /http:\S+\/mcp/.exec(printed)?.[0] ?? ''
    }
    stdout.resume()
    return this
  }

  /**
   * The official client, as the simulation uses it, and the names of the tools that are served.
   *
   * @returns {Promise<{ port: import('./port.mjs').Port, tools: Set<string> }>}
   */
  async connect() {
    const client = new Client(
      { name: 'simulate', version: '1' },
      { versionNegotiation: { mode: { pin: ERA } } },
    )
    await client.connect(new StreamableHTTPClientTransport(new URL(this.url)))
    const { tools } = await client.listTools()
    return {
      tools: new Set(tools.map(({ name }) => name)),
      port: {
        tool: async (name, args = {}) => {
          const result = await client.callTool({ name, arguments: args }, { timeout: CALL_MS })
          if (result.isError) throw new Refusal(name, JSON.parse(textOf(result.content)))
          return result.structuredContent
        },
        resource: async (uri) => {
          const { contents } = await client.readResource({ uri }, { timeout: CALL_MS })
          return JSON.parse(textOf(contents))
        },
      },
    }
  }

  /** Stops the server and its services and removes its data; may be called more than once. */
  stop() {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop() {
    try {
      await this.#end()
    } finally {
      rmSync(this.#parent, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
    }
  }

  async #end() {
    const isRunning = this.#child.exitCode === null && this.#child.signalCode === null
    if (isRunning) {
      const ended = once(this.#child, 'exit')
      this.#child.kill('SIGTERM')
      const despair = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS)
      await ended
      clearTimeout(despair)
    }
    if (this.#child.signalCode !== null) await this.#endServices()
  }

  /** A server that was killed leaves its services running: whoever joins last and leaves stops them. */
  async #endServices() {
    const { joinEmbedded } = await import(new URL('dist/platform/embedded/services.js', ROOT).href)
    const dataDir = join(this.#dataDir, 'embedded')
    const left = await joinEmbedded({ dataDir, postgres: true, redis: true, log: () => {} })
    await left.release()
  }
}

/** A call that the product refused. */
class Refusal extends Error {
  /**
   * @param {string} tool
   * @param {{ code: string, message: string, retryable: boolean }} body
   */
  constructor(tool, body) {
    super(`${tool}: ${body.code}: ${body.message}`)
    this.body = body
  }
}

/** @type {(contents: unknown) => string} */
function textOf(contents) {
  const [first] = Array.isArray(contents) ? contents : []
  return typeof first?.text === 'string' ? first.text : ''
}
