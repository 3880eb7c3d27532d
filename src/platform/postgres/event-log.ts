import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import type { PublishedEvent } from '../../events.js'
import type { Loop, Loops } from '../../kernel/loops.js'
import type { Log } from '../log.js'
import { connectDirectly, type Endpoint } from './connection.js'
import * as statements from './event-log.sql.js'
import { OwnConnection, rowsOf } from './own-connection.js'
import type { Statement } from './sql.js'

interface EventLogDeps {
  /** The database itself: LISTEN does not survive a transaction-mode pooler. */
  readonly endpoint: Endpoint
  readonly loops: Loops
  readonly log: Log
}

type Listener = (events: readonly PublishedEvent[]) => void
type HintListener = (payload: string) => void

const BATCH = 1_000
/** Finds what a server left in the outbox when it died between its commit and its publishing. */
const SWEEP_MS = 1_000
/** A round takes milliseconds; a connection that went silent is replaced after so long. */
const ROUND_LIMIT_MS = 5_000
/** Between a round that published something and the next one. */
const REST_MS = 25
const RETENTION_CHECK_MS = 60 * 60 * 1_000

/**
 * Publishes what transactions left in the outbox, and tells this process of everything any server
 * has published, in order. NOTIFY only says "look"; what is read is the table, so a forged or lost
 * notification changes nothing but the moment of looking.
 */
export class EventLog {
  readonly #deps: EventLogDeps
  readonly #loop: Loop
  readonly #connection: OwnConnection
  readonly #listeners = new Set<Listener>()
  readonly #hints = new Map<string, HintListener>()
  readonly #greetings: Statement<unknown>[] = []
  #lastSeq: number | null = null
  #retentionCheckedAt = 0

  constructor(deps: EventLogDeps) {
    this.#deps = deps
    this.#connection = new OwnConnection({
      connect: () => this.#connect(),
      lost: () => this.poke(),
    })
    const timing = { everyMs: SWEEP_MS, retry: { firstMs: 100, maxMs: 2_000 } }
    this.#loop = deps.loops.every('the event log', timing, () => this.#round())
  }

  /** Since when nothing could be published; null while all is well. */
  get failingSince(): Date | null {
    return this.#loop.failingSince
  }

  /** Says that something was committed, so that it is published at once and not at the next sweep. */
  poke(): void {
    this.#loop.wake()
  }

  /** Ends; what is in the outbox stays there for the next publisher. */
  async close(): Promise<void> {
    await this.#loop.stop()
    await this.#connection.close()
  }

  /** Calls `listener` with new events, in order, until the returned function is called. */
  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  /**
   * Calls `listener` with what is notified on another channel, over the one connection that listens.
   * To be called before the start; a hint may be forged, and is lost while the database is away.
   */
  listen(channel: string, listener: HintListener): void {
    this.#hints.set(channel, listener)
  }

  /** Runs a statement on every new connection, which then lives as long as this server and the database do. */
  greet(statement: Statement<unknown>): void {
    this.#greetings.push(statement)
  }

  async #round(): Promise<void> {
    const hasPublished = await this.#connection.use(async (client) => {
      const published = await this.#publish(client)
      await this.#deliver(client)
      await this.#retain(client)
      return published
    })
    // Under load many commits are published together, and writers keep the processor.
    if (hasPublished) await delay(REST_MS)
  }

  async #connect(): Promise<pg.Client> {
    const client = await connectDirectly(this.#deps.endpoint, {
      name: 'catalyst-db events',
      timeoutMs: ROUND_LIMIT_MS,
    })
    try {
      await this.#greet(client)
      return client
    } catch (error) {
      await client.end().catch(() => {})
      throw error
    }
  }

  async #greet(client: pg.Client): Promise<void> {
    const ownPid = Reflect.get(client, 'processID')
    client.on('notification', ({ channel, payload = '', processId }) => {
      // What this connection has published it delivers itself.
      if (channel !== statements.CHANNEL || processId !== ownPid) this.#notified(channel, payload)
    })
    const channels = [statements.CHANNEL, ...this.#hints.keys()]
    await client.query(channels.map((channel) => `listen ${channel}`).join('; '))
    for (const greeting of this.#greetings) await rowsOf(client, greeting)
    const [newest] = await rowsOf(client, statements.latestSeq())
    const seq = newest?.seq ?? 0
    // A failover may have lost the newest events: what is numbered anew must be delivered too.
    this.#lastSeq = Math.min(this.#lastSeq ?? seq, seq)
  }

  /** True when there was something to publish. */
  async #publish(client: pg.Client): Promise<boolean> {
    for (let hasPublished = false; ; hasPublished = true) {
      const results: unknown = await client.query(statements.publish(BATCH))
      const { moved, last_seq } = publishedOf(results)
      if (last_seq !== null) await this.#preparePartition(client, last_seq)
      if (moved < BATCH) return hasPublished || moved > 0
    }
  }

  async #deliver(client: pg.Client): Promise<void> {
    for (;;) {
      const events = await rowsOf(client, statements.eventsAfter(this.#lastSeq ?? 0, null, BATCH))
      const last = events.at(-1)
      if (!last) return
      this.#lastSeq = last.seq
      for (const listener of this.#listeners) this.#tell(listener, events)
    }
  }

  #notified(channel: string, payload: string): void {
    const listener = this.#hints.get(channel)
    if (listener) listener(payload)
    else this.poke()
  }

  /** A subscriber's defect must not stop the others. */
  #tell(listener: Listener, events: readonly PublishedEvent[]): void {
    try {
      listener(events)
    } catch (error) {
      this.#deps.log.error({ err: error }, 'a subscriber of events failed')
    }
  }

  async #preparePartition(client: pg.Client, lastSeq: number): Promise<void> {
    for (const statement of statements.partitionAhead(lastSeq)) await client.query(statement)
  }

  async #retain(client: pg.Client): Promise<void> {
    if (Date.now() - this.#retentionCheckedAt < RETENTION_CHECK_MS) return
    this.#retentionCheckedAt = Date.now()
    for (const { number } of await rowsOf(client, statements.expiredPartitions())) {
      await client.query(statements.dropPartition(number).text)
    }
    await rowsOf(client, statements.forgetKeys())
  }
}

/** The driver answers several statements with a list of results. */
function publishedOf(results: unknown): statements.Published {
  const result = Array.isArray(results) ? results.at(-2) : undefined
  if (!(result instanceof pg.Result)) throw new Error('publishing did not answer what it did')
  return result.rows[0]
}
