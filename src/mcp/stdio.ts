import { fstatSync, writeSync } from 'node:fs'
import { finished } from 'node:stream/promises'
import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio'
import { newId } from '../lib/ids.js'
import { EVERYTHING } from '../lib/scope.js'
import type { Log } from '../platform/log.js'
import { isListening, type ListenLimits } from './listen-limits.js'
import { createServer, type Serving } from './server.js'
import { MessageLines, type RefusedLine } from './stdio-lines.js'

/** As large as an HTTP body may be. */
const MAX_MESSAGE_BYTES = 32 * 1024 * 1024
/** How soon it is noticed that nobody is there, while nothing is to be written. */
const LOOK_MS = 1_000
const NOTHING = Buffer.alloc(0)

/** A running stdio connection. */
export interface StdioEndpoint {
  /** Resolves when the client closed standard input: it sends nothing more, and may still read. */
  readonly ended: Promise<void>
  /** Resolves when nobody is there any more: standard output was closed, or our parent died. */
  readonly gone: Promise<void>
  /** Resolves when no request that was read waits for its answer; streams are none. */
  answered(): Promise<void>
  close(): Promise<void>
}

/** Serves both protocol eras on this process's stdin and stdout. */
export function serveOnStdio(serving: Serving, log: Log): StdioEndpoint {
  const peer = { principal: 'local', owner: newId('stdio'), scope: EVERYTHING }
  const { stdin, stdout } = process
  const lines = new MessageLines({
    maxBytes: MAX_MESSAGE_BYTES,
    refuse: ({ id, code, message }: RefusedLine) => {
      log.debug({ code }, 'line refused')
      stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id, error: { code, message } })}\n`)
    },
  })
  const gone = untilClientIsGone()
  // The SDK drops what it has read when its input ends: to it, ours does not.
  const ended = finished(stdin, { writable: false })
    .catch(() => {})
    .then(() => void lines.write('\n'))
  const transport = new StdioServerTransport(stdin.pipe(lines, { end: false }), stdout, {
    maxBufferSize: 2 * MAX_MESSAGE_BYTES,
  })
  const handle = serveStdio((context) => createServer(serving, peer, context), {
    transport,
    onerror: (error) => log.debug({ err: error }, 'message refused'),
  })
  limitListening(transport, serving.notifications.listens, peer.owner)
  const requests = new OpenRequests(transport)
  return { ended, gone, answered: () => requests.answered(), close: () => handle.close() }
}

/** The requests that were read and have no answer yet. */
class OpenRequests {
  readonly #open = new Set<string | number>()
  #answered: (() => void) | null = null

  constructor(transport: StdioServerTransport) {
    const { onmessage } = transport
    const send = transport.send.bind(transport)
    transport.onmessage = (message) => {
      if ('method' in message && 'id' in message && !isListening(message)) {
        this.#open.add(message.id)
      }
      if ('method' in message && message.method === 'notifications/cancelled') {
        this.#end(message.params?.requestId)
      }
      onmessage?.(message)
    }
    transport.send = async (message) => {
      await send(message)
      if (!('method' in message)) this.#end(message.id)
    }
  }

  async answered(): Promise<void> {
    // What was read with the last bytes gets here first.
    await new Promise(setImmediate)
    if (this.#open.size === 0) return
    await new Promise<void>((resolve) => {
      this.#answered = resolve
    })
  }

  #end(id: unknown): void {
    if (typeof id === 'string' || typeof id === 'number') this.#open.delete(id)
    if (this.#open.size === 0) this.#answered?.()
  }
}

/** The SDK opens every stream that is asked for: what is more than a share never gets there. */
function limitListening(
  transport: StdioServerTransport,
  listens: ListenLimits,
  client: string,
): void {
  const { onmessage } = transport
  const send = transport.send.bind(transport)
  transport.onmessage = (message) => {
    if ('id' in message && isListening(message)) {
      const refusal = listens.take(client, message.id, message)
      if (refusal) return void send(refusal).catch(() => {})
    }
    if ('method' in message && message.method === 'notifications/cancelled') {
      listens.release(client, message.params?.requestId)
    }
    onmessage?.(message)
  }
  // A stream that was not opened after all, or has ended, has its answer.
  transport.send = (message) => {
    if (!('method' in message)) listens.release(client, message.id)
    return send(message)
  }
}

function untilClientIsGone(): Promise<void> {
  const { stdout, ppid: parent } = process
  return new Promise((resolve) => {
    const gone = (): void => {
      clearInterval(timer)
      resolve()
    }
    const timer = setInterval(() => {
      if (process.ppid !== parent || isClosed(stdout.fd)) gone()
    }, LOOK_MS).unref()
    // EPIPE: nobody reads what is answered. Without a listener it would be an uncaught error.
    stdout.on('error', gone)
    stdout.once('close', gone)
  })
}

/**
 * Whether the other end of a socket, which is what Node.js gives its children for a pipe, was closed: a
 * write of nothing tells, and is seen by nobody. A pipe of the kernel keeps that for a real write.
 */
function isClosed(fd: number): boolean {
  try {
    if (fstatSync(fd).isSocket()) writeSync(fd, NOTHING)
    return false
  } catch (error) {
    return Object(error).code === 'EPIPE'
  }
}
