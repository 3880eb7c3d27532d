import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { CLIENT_INFO, LEGACY, resultOf } from './rpc.mjs'

/**
 * A server on pipes, spoken to in the older era without an SDK: the client's own work must not hide
 * the server's, and every server is spoken to alike.
 */
export class RawStdio {
  #child
  #waiting = new Map()
  #lastId = 0
  #stderr = ''

  constructor(command, args, env, stdio = []) {
    this.#child = spawn(command, args, {
      env,
      stdio: ['pipe', 'pipe', 'pipe', ...stdio],
      serialization: 'advanced',
    })
    this.#child.stderr.on('data', (chunk) => {
      this.#stderr = (this.#stderr + chunk).slice(-2_000)
    })
    this.#child.stdin.on('error', () => {})
    this.#child.on('error', (error) => this.#failAll(error.message))
    this.#child.on('exit', (code, signal) => this.#failAll(`it ended with ${code ?? signal}`))
    createInterface(this.#child.stdout).on('line', (line) => this.#receive(line))
  }

  get pid() {
    return this.#child.pid
  }

  /** Sends a request; answers its result. */
  request(method, params = {}) {
    const id = ++this.#lastId
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      this.#send({ jsonrpc: '2.0', id, method, params })
    }).then(resultOf)
  }

  /** The handshake of the older era. */
  async initialize() {
    const params = { protocolVersion: LEGACY, capabilities: {}, clientInfo: CLIENT_INFO }
    await this.request('initialize', params)
    this.#send({ jsonrpc: '2.0', method: 'notifications/initialized' })
  }

  /** Calls a tool; answers its result. */
  call(name, args) {
    return this.request('tools/call', { name, arguments: args })
  }

  /** Asks a hook that was loaded into the server. */
  async ask(question) {
    this.#child.send(question)
    const [answer] = await once(this.#child, 'message')
    return answer
  }

  /** Lets the server end by itself, as clients do. */
  async close() {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.stdin.end()
    const impatience = setTimeout(() => this.#child.kill('SIGTERM'), 3_000)
    const despair = setTimeout(() => this.#child.kill('SIGKILL'), 8_000)
    await ended
    clearTimeout(impatience)
    clearTimeout(despair)
  }

  #send(message) {
    this.#child.stdin.write(`${JSON.stringify(message)}\n`)
  }

  #receive(line) {
    if (!line.startsWith('{')) return
    const message = JSON.parse(line)
    const waiting = this.#waiting.get(message.id)
    if (!waiting || message.method) return
    this.#waiting.delete(message.id)
    waiting.resolve(message)
  }

  #failAll(reason) {
    for (const { reject } of this.#waiting.values()) {
      reject(new Error(`the server does not answer: ${reason} ${this.#stderr}`))
    }
    this.#waiting.clear()
  }
}
