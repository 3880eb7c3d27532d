import pg from 'pg'
import type { Endpoint } from '../connection.js'
import { translate } from '../errors.js'
import { sever } from '../standing.js'
import { formatLsn } from './lsn.js'

/** Where the log is read, and from where on. */
export interface LogPlace {
  readonly slot: string
  readonly publication: string
  readonly start: bigint
}

/** Who hears what comes. */
export interface LogListener {
  /** One message of pgoutput; its bytes are only good until this returns. */
  message(lsn: bigint, message: Buffer): void
  /** Everything that was committed before this place has come. */
  reached(lsn: bigint): void
  /** It came to its end, for that reason. */
  ended(error: unknown): void
}

const MICROSECONDS_TO_2000 = 946_684_800_000_000n
const COPY_DATA = 'w'.charCodeAt(0)
const KEEP_ALIVE = 'k'.charCodeAt(0)
const DATA_AT = 25
const STATUS_BYTES = 34

/**
 * Receives what a logical slot sends: https://www.postgresql.org/docs/current/protocol-replication.html. What has
 * come is only confirmed when told, so that PostgreSQL keeps it until somebody else does.
 */
export class LogReceiver {
  readonly #client: pg.Client
  readonly #connection: pg.Connection
  #received: bigint
  #confirmed: bigint
  #isClosed = false

  private constructor(client: pg.Client, start: bigint) {
    this.#client = client
    this.#connection = connectionOf(client)
    this.#received = start
    this.#confirmed = start
  }

  /**
   * Connects and begins to receive.
   *
   * @throws AppError that says why not: no right to, another one receives, the slot was lost
   */
  static async start(
    endpoint: Endpoint,
    place: LogPlace,
    listener: LogListener,
  ): Promise<LogReceiver> {
    const receiver = new LogReceiver(await connectToLog(endpoint), place.start)
    try {
      await receiver.#start(place, listener)
      return receiver
    } catch (error) {
      receiver.close()
      throw translate(error)
    }
  }

  /** How far it has come. */
  get received(): bigint {
    return this.#received
  }

  /** Lets PostgreSQL forget what was committed before this place. */
  confirm(lsn: bigint): void {
    if (lsn > this.#confirmed) this.#confirmed = lsn
    this.report()
  }

  /** Says that it is alive and how far it has come; to be called every few seconds. */
  report({ askBack = false }: { readonly askBack?: boolean } = {}): void {
    if (this.#isClosed) return
    const status = Buffer.alloc(STATUS_BYTES)
    status.write('r', 0)
    status.writeBigUInt64BE(this.#received, 1)
    status.writeBigUInt64BE(this.#confirmed, 9)
    status.writeBigUInt64BE(this.#confirmed, 17)
    status.writeBigInt64BE(BigInt(Date.now()) * 1_000n - MICROSECONDS_TO_2000, 25)
    status.writeUInt8(askBack ? 1 : 0, 33)
    // The driver's types do not know what it has for COPY.
    Reflect.get(this.#connection, 'sendCopyFromChunk').call(this.#connection, status)
  }

  /** Lets no more come for now: it stays with PostgreSQL. */
  pause(): void {
    this.#connection.stream.pause()
  }

  resume(): void {
    this.#connection.stream.resume()
  }

  /** Hangs up; what was not confirmed will come again. */
  close(): void {
    this.#isClosed = true
    sever(this.#client)
  }

  async #start({ slot, publication, start }: LogPlace, listener: LogListener): Promise<void> {
    const end = (error: unknown): void => {
      if (this.#isClosed) return
      this.close()
      listener.ended(translate(error))
    }
    const started = new Promise<void>((resolve) =>
      this.#connection.once('replicationStart', resolve),
    )
    this.#connection.on('copyData', ({ chunk }: { readonly chunk: Buffer }) => {
      if (this.#isClosed) return
      try {
        this.#take(chunk, listener)
      } catch (error) {
        end(error)
      }
    })
    this.#client.on('error', end)
    this.#client.on('end', () => end(new Error('the connection ended')))
    const options = `proto_version '1', publication_names '${publication}', messages 'true'`
    const over = this.#client.query(
      `START_REPLICATION SLOT ${slot} LOGICAL ${formatLsn(start)} (${options})`,
    )
    // It answers when the stream is over; until it has begun, that is why it has not.
    await Promise.race([started, over])
    over.then(() => end(new Error('PostgreSQL ended the stream')), end)
  }

  #take(chunk: Buffer, listener: LogListener): void {
    switch (chunk[0]) {
      case COPY_DATA:
        listener.message(chunk.readBigUInt64BE(1), chunk.subarray(DATA_AT))
        return
      case KEEP_ALIVE: {
        const lsn = chunk.readBigUInt64BE(1)
        listener.reached(lsn)
        if (lsn > this.#received) this.#received = lsn
        if (chunk[17] === 1) this.report()
        return
      }
      default:
        throw new Error(`the stream has a message of an unknown kind: ${chunk[0]}`)
    }
  }
}

/** A connection that takes the commands of replication beside SQL. */
async function connectToLog(endpoint: Endpoint): Promise<pg.Client> {
  const replication = { replication: 'database' }
  const { client } = await endpoint.servers.connect(
    { application_name: 'catalyst-db backups', query_timeout: 0, ...replication },
    {},
  )
  return client
}

function connectionOf(client: pg.Client): pg.Connection {
  const connection: unknown = Reflect.get(client, 'connection')
  if (connection instanceof pg.Connection) return connection
  throw new Error('the driver has no connection')
}
