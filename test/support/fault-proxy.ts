import net from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import { Framer, isCommit, type Message, queryText, startupParameter } from './wire.js'

/** Where a message was going. */
type Direction = 'to server' | 'to client'

/** A message that passes, numbered since the fault was set. */
interface Passing {
  readonly number: number
  readonly direction: Direction
  readonly message: Message
  /** Messages since a client sent COMMIT of a transaction that may write, that one included; 0 before. */
  readonly sinceCommit: number
  /** Its transaction was begun before the fault was set. */
  readonly isOlder: boolean
}

/** What happens to a connection at a chosen message. */
export interface Fault {
  readonly at: (passing: Passing) => boolean
  /** The message is still delivered. */
  readonly deliver: boolean
  /** How the client sees it: an orderly end, a reset, or nothing at all. */
  readonly how: 'end' | 'reset' | 'silence'
  /** How often it happens; once unless said otherwise. */
  readonly times?: number
}

/** Whose connections count: the pool's, not those of health checks and the event log. */
const POOL = 'catalyst-db'

/** PostgreSQL behind a TCP port of its own, with a network that fails on demand. */
export class FaultProxy {
  /** Delay of each piece of data, in milliseconds. */
  latencyMs = 0
  /** Data arrives byte by byte, and what is long in pieces that end anywhere. */
  isSliced = false
  /** New connections are refused. */
  isClosed = false
  /** How many were. */
  refused = 0
  /** Messages of the pool's connections since the fault was set. */
  passed = 0
  /** Connections that pools have asked for. */
  asked = 0
  #upstream: net.NetConnectOpts
  #fault: Fault | null = null
  /** How many faults have been set. */
  #faults = 0
  #left = 0
  #isSilent = false
  readonly #server = net.createServer({ allowHalfOpen: false }, (client) => this.#relay(client))
  readonly #sockets = new Set<net.Socket>()

  private constructor(upstream: net.NetConnectOpts) {
    this.#upstream = upstream
  }

  /** Listens on loopback in front of the server of a URL, until `close`. */
  static async start(url: string): Promise<FaultProxy> {
    const proxy = new FaultProxy(addressOf(url))
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  /** The same, until the end of the test. */
  static async forThisTest(url: string): Promise<FaultProxy> {
    const proxy = await FaultProxy.start(url)
    onTestFinished(() => proxy.close())
    return proxy
  }

  get port(): number {
    const address = this.#server.address()
    return typeof address === 'object' && address ? address.port : 0
  }

  /** How many connections pass through. */
  get connections(): number {
    return this.#sockets.size / 2
  }

  /** The URL of a database through this proxy. */
  url(database: string): string {
    return `postgresql://catalyst_owner@127.0.0.1:${this.port}/${database}`
  }

  /** Sets what goes wrong next; null sets nothing. */
  set(fault: Fault | null): void {
    this.#fault = fault
    this.#faults++
    this.#left = fault?.times ?? 1
    this.passed = 0
  }

  /** From now on nothing passes and nothing ends, as behind a router that died. */
  silence(): void {
    this.#isSilent = true
  }

  /** New connections pass again; silenced ones stay silent. */
  speak(): void {
    this.#isSilent = false
  }

  /** Other connections go to the server of another URL; those that exist stay. */
  lead(url: string): void {
    this.#upstream = addressOf(url)
  }

  /** Resets every connection. */
  resetAll(): void {
    for (const socket of this.#sockets) {
      // Only TCP knows a reset; the way to a unix socket ends when its client's end does.
      if (socket.remoteAddress) socket.resetAndDestroy()
    }
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  #relay(client: net.Socket): void {
    if (this.isClosed) {
      this.refused++
      return void client.resetAndDestroy()
    }
    const server = net.connect(this.#upstream)
    const link = new Link(client, server)
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('error', () => other.destroy())
      socket.on('close', () => {
        this.#sockets.delete(socket)
        if (!link.isSilent) other.destroy()
      })
    }
    this.#pump(link, 'to server')
    this.#pump(link, 'to client')
  }

  #pump(link: Link, direction: Direction): void {
    const [from, to] =
      direction === 'to server' ? [link.client, link.server] : [link.server, link.client]
    const framer = new Framer(direction === 'to server' ? 'client' : 'server')
    let turn = Promise.resolve()
    from.on('data', (piece: Buffer) => {
      turn = turn.then(async () => {
        if (this.latencyMs > 0) await delay(this.latencyMs)
        for (const message of framer.push(piece)) await this.#pass(link, direction, message, to)
      })
    })
  }

  async #pass(link: Link, direction: Direction, message: Message, to: net.Socket): Promise<void> {
    if (link.isCut) return
    const isKnown = link.isPool
    link.notice(direction, message, this.#faults)
    if (link.isPool && !isKnown) this.asked++
    if (this.#isSilent) link.isSilent = true
    if (link.isSilent) return
    const fault = link.isPool ? this.#faultAt(link, direction, message) : null
    if (!fault || fault.deliver) await this.#write(to, message.bytes)
    if (fault) await link.cut(fault, to)
  }

  #faultAt(link: Link, direction: Direction, message: Message): Fault | null {
    this.passed++
    const { sinceCommit } = link
    const isOlder = link.begunAt < this.#faults
    const isDue = this.#fault?.at({ number: this.passed, direction, message, sinceCommit, isOlder })
    if (!isDue || this.#left === 0) return null
    this.#left--
    return this.#fault
  }

  async #write(to: net.Socket, bytes: Buffer): Promise<void> {
    if (!this.isSliced) return void to.write(bytes)
    let at = 0
    for (let piece = 0; at < bytes.length; piece++) {
      // All of a long answer byte by byte would be slow because this process is.
      const end = at + (at < BYTE_BY_BYTE ? 1 : PIECE)
      to.write(bytes.subarray(at, end))
      at = end
      if (piece % 16 === 15) await new Promise(setImmediate)
    }
  }
}

/** Bytes of each piece of data that arrive one by one, and how many at a time after them: a prime. */
const BYTE_BY_BYTE = 512
const PIECE = 61

/** One client's connection with its continuation to the server. */
class Link {
  readonly client: net.Socket
  readonly server: net.Socket
  isPool = false
  isCut = false
  isSilent = false
  sinceCommit = 0
  /** How many faults had been set when its transaction was begun. */
  begunAt = 0
  #isStarting = true
  #onlyReads = false

  constructor(client: net.Socket, server: net.Socket) {
    this.client = client
    this.server = server
  }

  notice(direction: Direction, message: Message, faults: number): void {
    if (this.#isStarting && direction === 'to server') {
      this.#isStarting = false
      this.isPool = startupParameter(message, 'application_name') === POOL
    }
    const text = queryText(message)
    if (text.startsWith('begin')) {
      this.#onlyReads = text.includes('read only')
      this.begunAt = faults
    }
    if (this.sinceCommit > 0 || (isCommit(text) && !this.#onlyReads)) this.sinceCommit++
    // The answer to COMMIT ends here; what follows belongs to another transaction.
    if (this.sinceCommit > 1 && direction === 'to client' && message.type === 'Z') {
      setImmediate(() => {
        this.sinceCommit = 0
      })
    }
  }

  /** What was delivered must have left before the connection ends. */
  async cut({ deliver, how }: Fault, to: net.Socket): Promise<void> {
    if (how === 'silence') {
      this.isSilent = true
      return
    }
    this.isCut = true
    if (deliver) await new Promise<void>((resolve) => to.write('', () => resolve()))
    if (how === 'end') this.client.end()
    else this.client.resetAndDestroy()
    // An orderly end lets the server read what it was sent before.
    this.server.end()
  }
}

function addressOf(url: string): net.NetConnectOpts {
  const { hostname, port, searchParams } = new URL(url.replace('@/', '@localhost/'))
  const directory = searchParams.get('host')
  return directory
    ? { path: `${directory}/.s.PGSQL.${searchParams.get('port') ?? 5432}` }
    : { host: hostname, port: Number(port) }
}
