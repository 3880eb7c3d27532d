import net from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import tls from 'node:tls'
import type pg from 'pg'
import type { Endpoint } from './connection.js'

/** Request codes of https://www.postgresql.org/docs/current/protocol-message-formats.html */
const SSL_REQUEST = 80877103
const CANCEL_REQUEST = 80877102
/** Longest wait for each step: to connect, for TLS, and for the server to hang up. */
const STEP_MS = 2_000
/** A pooler that cannot reach its server gives a request up by itself after ten seconds. */
const ABANDON_MS = 60_000

/** A connection's own address and key, as PostgreSQL gave them out and the driver keeps them. */
interface Backend {
  readonly processID: number | null
  readonly secretKey: number | null
}

/** Which backend serves this connection. */
export const backendOf = (client: pg.ClientBase): Backend => ({
  processID: Reflect.get(client, 'processID') as number | null,
  secretKey: Reflect.get(client, 'secretKey') as number | null,
})

/**
 * Asks PostgreSQL to stop what this connection is running. The request goes over a connection of its
 * own with the backend's key, so it needs no free slot of any pool and passes through PgBouncer,
 * where `pg_cancel_backend` would meet a made-up process id. The server hangs up when it has passed
 * the request on, as libpq waits for it: who hangs up first ends a PgBouncer 1.18 together with the
 * connections of everybody. Whether there was anything to stop is seen on the cancelled connection,
 * not here.
 *
 * @throws Error when the server does not hang up in time: the request may still be on its way
 */
export async function requestCancel(endpoint: Endpoint, client: pg.ClientBase): Promise<void> {
  const { host, port } = endpoint.servers.targetOf(client)
  const config = { ...endpoint.config, host, port }
  const backend = backendOf(client)
  if (backend.processID === null || backend.secretKey === null) return
  const message = Buffer.alloc(16)
  message.writeInt32BE(16, 0)
  message.writeInt32BE(CANCEL_REQUEST, 4)
  message.writeInt32BE(backend.processID, 8)
  message.writeInt32BE(backend.secretKey, 12)
  const socket = await open(config)
  let secured = socket
  try {
    if (config.ssl) secured = await startTls(socket, config)
  } catch (error) {
    socket.destroy()
    throw error
  }
  secured.write(message)
  socket.setTimeout(ABANDON_MS, () => socket.destroy())
  socket.unref()
  await withinLimit(closed(secured))
}

function open(config: pg.ClientConfig): Promise<net.Socket> {
  const host = config.host || 'localhost'
  const port = config.port || 5432
  const socket = host.startsWith('/')
    ? net.connect({ path: `${host}/.s.PGSQL.${port}` })
    : net.connect({ host, port })
  socket.setTimeout(STEP_MS, () => socket.destroy(new Error('cancel timed out')))
  return new Promise((resolve, reject) => {
    socket.once('connect', () => resolve(socket))
    socket.once('error', reject)
  })
}

async function startTls(socket: net.Socket, config: pg.ClientConfig): Promise<net.Socket> {
  const request = Buffer.alloc(8)
  request.writeInt32BE(8, 0)
  request.writeInt32BE(SSL_REQUEST, 4)
  socket.write(request)
  const [answer] = await new Promise<Buffer>((resolve, reject) => {
    socket.once('data', resolve)
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('the server hung up on a cancel')))
  })
  if (answer !== 'S'.charCodeAt(0)) throw new Error('the server does not speak TLS')
  const options = typeof config.ssl === 'object' ? config.ssl : {}
  const { host = 'localhost' } = config
  // SNI must not be an address, but the certificate is still checked against it.
  const secured = tls.connect({ socket, host, servername: net.isIP(host) ? '' : host, ...options })
  return new Promise((resolve, reject) => {
    secured.once('secureConnect', () => resolve(secured))
    secured.once('error', reject)
    secured.once('close', () => reject(new Error('the server hung up on a cancel')))
  })
}

/** The socket stays open after it: see above who must hang up. */
async function withinLimit(work: Promise<void>): Promise<void> {
  const ended = new AbortController()
  const limit = delay(STEP_MS, undefined, { signal: ended.signal }).then(() => {
    throw new Error('a cancel request was not answered in time')
  })
  try {
    await Promise.race([work, limit])
  } finally {
    ended.abort()
    limit.catch(() => {})
  }
}

const closed = (socket: net.Socket): Promise<void> =>
  new Promise((resolve) => {
    socket.once('close', () => resolve())
    socket.once('error', () => resolve())
    socket.resume()
  })
