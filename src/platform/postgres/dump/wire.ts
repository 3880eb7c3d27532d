import type { Socket } from 'node:net'
import pg from 'pg'

/** Request codes of https://www.postgresql.org/docs/current/protocol-message-formats.html */
const STARTUP = 196_608
const REFUSED_ENCRYPTION = Buffer.from('N')

/** What a client reads of its server before its first query. */
const TOLD = [
  'server_version',
  'server_encoding',
  'client_encoding',
  'standard_conforming_strings',
  'integer_datetimes',
  'DateStyle',
  'IntervalStyle',
  'TimeZone',
] as const

/**
 * Lets a program speak to PostgreSQL over a connection that is logged in already: it needs no password and
 * no TLS of its own, and cannot log in as anybody else.
 */
export class BorrowedWire {
  readonly #socket: Socket
  readonly #greeting: Buffer
  /** The driver's own. */
  readonly #readers: ReturnType<Socket['listeners']>
  #pending = Buffer.alloc(0)
  #isStarted = false
  #isLost = false

  private constructor(socket: Socket, greeting: Buffer) {
    this.#socket = socket
    this.#greeting = greeting
    this.#readers = socket.listeners('data')
    socket.removeAllListeners('data')
  }

  /** Takes a client that is inside of a transaction, until it is given back: the program works in that transaction. */
  static async borrow(client: pg.Client): Promise<BorrowedWire> {
    const rows = TOLD.map((name) => `current_setting('${name}') as "${name}"`)
    const { rows: told } = await client.query(`select ${rows.join(', ')}`)
    const connection: unknown = Reflect.get(client, 'connection')
    if (!(connection instanceof pg.Connection)) throw new Error('the driver hides its connection')
    return new BorrowedWire(connection.stream as Socket, greetingOf(told[0]))
  }

  /** Lets the driver go on. */
  giveBack(): void {
    for (const reader of this.#readers) {
      this.#socket.on('data', reader as (chunk: Buffer) => void)
    }
  }

  /**
   * Passes on what the program wrote and answers what PostgreSQL says to it, up to where it waits for the
   * next query; nothing while the program has not said all of its message.
   *
   * @throws Error when the connection is lost
   */
  async exchange(bytes: Uint8Array): Promise<Buffer> {
    this.#pending = Buffer.concat([this.#pending, bytes])
    if (!this.#isStarted) return this.#start()
    const { whole, asks } = wholeMessages(this.#pending)
    const message = this.#pending.subarray(0, whole)
    this.#pending = this.#pending.subarray(whole)
    if (OPENS_TRANSACTION.test(message.toString('latin1'))) return ALREADY_OPEN
    if (message.length > 0) this.#socket.write(message)
    return asks ? this.#answer() : Buffer.alloc(0)
  }

  #start(): Buffer {
    const size = this.#pending.length < 8 ? Number.POSITIVE_INFINITY : this.#pending.readInt32BE(0)
    if (this.#pending.length < size) return Buffer.alloc(0)
    const code = this.#pending.readInt32BE(4)
    this.#pending = this.#pending.subarray(size)
    // Later releases of libpq ask for a minor version that the answer need not know.
    this.#isStarted = code >>> 16 === STARTUP >>> 16
    return this.#isStarted ? this.#greeting : REFUSED_ENCRYPTION
  }

  #answer(): Promise<Buffer> {
    if (this.#isLost) return Promise.reject(new Error('the connection is lost'))
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = []
      let tail = Buffer.alloc(0)
      const read = (chunk: Buffer): void => {
        chunks.push(chunk)
        tail = Buffer.concat([tail, chunk])
        const { whole, last } = framesOf(tail)
        tail = tail.subarray(whole)
        if (last !== 'Z' || tail.length > 0) return
        done()
        resolve(Buffer.concat(chunks))
      }
      const lost = (): void => {
        this.#isLost = true
        done()
        reject(new Error('the connection is lost'))
      }
      const done = (): void => {
        this.#socket.off('data', read).off('close', lost).off('error', lost)
      }
      this.#socket.on('data', read).on('close', lost).on('error', lost)
    })
  }
}

/** What is done already: the transaction has its isolation, its snapshot and its locks. */
const OPENS_TRANSACTION = /^Q.{4}(BEGIN|SET TRANSACTION [^;]*)\0$/is

/** How many bytes are whole messages, and whether PostgreSQL answers them all before it waits again. */
function wholeMessages(bytes: Buffer): { whole: number; asks: boolean } {
  const { whole, last, types } = framesOf(bytes)
  // The connection is ended by who lent it.
  const isGoodbye = types.includes('X')
  return { whole: isGoodbye ? 0 : whole, asks: !isGoodbye && (last === 'Q' || last === 'S') }
}

function framesOf(bytes: Buffer): { whole: number; last: string; types: string } {
  let whole = 0
  let types = ''
  while (bytes.length - whole >= 5) {
    const end = whole + 1 + bytes.readInt32BE(whole + 1)
    if (end > bytes.length) break
    types += String.fromCharCode(bytes[whole] ?? 0)
    whole = end
  }
  return { whole, last: types.at(-1) ?? '', types }
}

function greetingOf(settings: Readonly<Record<string, string>>): Buffer {
  const told = Object.entries(settings).map(([name, value]) =>
    message('S', Buffer.from(`${name}\0${value}\0`)),
  )
  return Buffer.concat([
    message('R', Buffer.alloc(4)),
    ...told,
    message('K', Buffer.alloc(8)),
    message('Z', Buffer.from('I')),
  ])
}

const ALREADY_OPEN = Buffer.concat([
  message('C', Buffer.from('SET\0')),
  message('Z', Buffer.from('T')),
])

function message(type: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5)
  head.write(type)
  head.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}
