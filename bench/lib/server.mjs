import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { RawStdio } from './raw-stdio.mjs'
import { CLIENT_INFO, MODERN } from './rpc.mjs'

/** The built program. */
export const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url))

/** What can be loaded into a server to be asked about it. */
const HOOKS = {
  usage: new URL('./usage-hook.mjs', import.meta.url),
  capture: new URL('./capture-hook.mjs', import.meta.url),
}
const hook = (name) => ['--import', HOOKS[name].href]
const READY_MS = 60_000

/** A server's environment: nothing of this process's but where programs are. */
export const cleanEnv = (env) => ({
  PATH: process.env.PATH ?? '',
  HOME: process.env.HOME ?? '',
  LOG_LEVEL: 'warn',
  ...env,
})

/** A server over HTTP that prints its URL: the product, as `catalyst-db serve` runs, or another. */
export class HttpServer {
  #child
  url = ''

  constructor(env, nodeOptions = [], program = [MAIN, 'serve']) {
    const args = [...nodeOptions, ...hook('usage'), ...program]
    this.#child = spawn(process.execPath, args, {
      env: cleanEnv({ PORT: '0', ...env }),
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
      serialization: 'advanced',
    })
  }

  get pid() {
    return this.#child.pid
  }

  /** Waits until it listens. */
  async ready() {
    let printed = ''
    const signal = AbortSignal.timeout(READY_MS)
    const ended = once(this.#child, 'exit', { signal }).then(([code]) => {
      throw new Error(`the server ended with ${code} before it listened`)
    })
    ended.catch(() => {})
    while (this.url === '') {
      const [chunk] = await Promise.race([once(this.#child.stdout, 'data', { signal }), ended])
      printed += chunk
      this.url = /http:\S+\/mcp/.exec(printed)?.[0] ?? ''
    }
    this.#child.stdout.resume()
    return this
  }

  /** The CPU time it has used since its start, in ms, and the memory it holds. */
  async usage() {
    this.#child.send('usage')
    const [answer] = await once(this.#child, 'message')
    return answer
  }

  /** The official client of the newer era. */
  async connect() {
    const client = new Client(CLIENT_INFO, { versionNegotiation: { mode: { pin: MODERN } } })
    await client.connect(new StreamableHTTPClientTransport(new URL(this.url)))
    return client
  }

  /** Tells it to end and waits until it has. */
  async stop() {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGTERM')
    const despair = setTimeout(() => this.#child.kill('SIGKILL'), 15_000)
    await ended
    clearTimeout(despair)
  }
}

/** The product on pipes, as MCP hosts start it; `hooked` names what is to be loaded into it. */
export function startStdio(env, { nodeOptions = [], hooked = null } = {}) {
  const args = [...nodeOptions, ...(hooked ? hook(hooked) : []), MAIN]
  return new RawStdio(process.execPath, args, cleanEnv(env), hooked ? ['ipc'] : [])
}
