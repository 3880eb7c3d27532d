import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio'
import { newId } from '../lib/ids.js'
import type { Log } from '../platform/log.js'
import { createServer, type Serving } from './server.js'

/** As large as an HTTP body may be. */
const MAX_MESSAGE_BYTES = 32 * 1024 * 1024

/** A running stdio connection. */
export interface StdioEndpoint {
  /** Resolves when the client has closed its end. */
  readonly closed: Promise<void>
  close(): Promise<void>
}

/** Serves both protocol eras on this process's stdin and stdout. */
export function serveOnStdio(serving: Serving, log: Log): StdioEndpoint {
  const peer = { principal: 'local', owner: newId('stdio') }
  const transport = new StdioServerTransport(process.stdin, process.stdout, {
    maxBufferSize: MAX_MESSAGE_BYTES,
  })
  const closed = new Promise<void>((resolve) => {
    process.stdin.once('end', resolve)
    process.stdin.once('close', resolve)
  })
  const handle = serveStdio((context) => createServer(serving, peer, context), {
    transport,
    onerror: (error) => log.debug({ err: error }, 'message refused'),
  })
  return { closed, close: () => handle.close() }
}
