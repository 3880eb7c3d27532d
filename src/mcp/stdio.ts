import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio'
import { newId } from '../lib/ids.js'
import type { Log } from '../platform/log.js'
import { isListening, type ListenLimits } from './listen-limits.js'
import { createServer, type Serving } from './server.js'
import { MessageLines, type RefusedLine } from './stdio-lines.js'

/** As large as an HTTP body may be. */
const MAX_MESSAGE_BYTES = 32 * 1024 * 1024
/** How soon it is noticed that the parent died while somebody else still holds its end of the pipe. */
const PARENT_CHECK_MS = 1_000

/** A running stdio connection. */
export interface StdioEndpoint {
  /** Resolves when the client is gone: it closed an end of the pipes, or was our parent and died. */
  readonly closed: Promise<void>
  close(): Promise<void>
}

/** Serves both protocol eras on this process's stdin and stdout. */
export function serveOnStdio(serving: Serving, log: Log): StdioEndpoint {
  const peer = { principal: 'local', owner: newId('stdio') }
  const { stdin, stdout } = process
  const closed = untilClientIsGone()
  const lines = new MessageLines({
    maxBytes: MAX_MESSAGE_BYTES,
    refuse: ({ id, code, message }: RefusedLine) => {
      log.debug({ code }, 'line refused')
      stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id, error: { code, message } })}\n`)
    },
  })
  const transport = new StdioServerTransport(stdin.pipe(lines), stdout, {
    maxBufferSize: 2 * MAX_MESSAGE_BYTES,
  })
  const handle = serveStdio((context) => createServer(serving, peer, context), {
    transport,
    onerror: (error) => log.debug({ err: error }, 'message refused'),
  })
  limitListening(transport, serving.notifications.listens, peer.owner)
  return { closed, close: () => handle.close() }
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
  const { stdin, stdout, ppid: parent } = process
  return new Promise((resolve) => {
    const gone = (): void => {
      clearInterval(timer)
      resolve()
    }
    const timer = setInterval(() => {
      if (process.ppid !== parent) gone()
    }, PARENT_CHECK_MS).unref()
    stdin.once('end', gone)
    stdin.once('close', gone)
    // EPIPE: nobody reads what is answered. Without a listener it would be an uncaught error.
    stdout.on('error', gone)
    stdout.once('close', gone)
  })
}
