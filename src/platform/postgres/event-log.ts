import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import type { PublishedEvent } from '../../events.js'
import { Backoff } from '../../lib/backoff.js'
import type { Attempts } from '../../lib/outage.js'
import type { SharedOutage } from '../../lib/shared-outage.js'
import { WakeUp } from '../../lib/wake-up.js'
import type { Log } from '../log.js'
import { connectDirectly, type Endpoint } from './connection.js'
import { LostConnection } from './errors.js'
import * as statements from './event-log.sql.js'
import type { Statement } from './sql.js'

interface EventLogDeps {
  /** The database itself: LISTEN does not survive a transaction-mode pooler. */
  readonly endpoint: Endpoint
  /** Run on every new connection, which then lives as long as this server and the database do. */
  readonly greeting?: Statement<unknown>
  readonly log: Log
  readonly outage: SharedOutage
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
  readonly #outage: Attempts
  readonly #listeners = new Set<Listener>()
  readonly #hints = new Map<string, HintListener>()
  readonly #stopped = new AbortController()
  readonly #wakeUp = new WakeUp()
  #lastSeq: number | null = null
  #failingSince: Date | null = null
  #retentionCheckedAt = 0
  #running: Promise<void> = Promise.resolve()

  constructor(deps: EventLogDeps) {
    this.#deps = deps
    this.#outage = deps.outage.of('the event log')
  }

  /** Since when nothing could be published; null while all is well. */
  get failingSince(): Date | null {
    return this.#failingSince
  }

  /** Begins; while the database is away it keeps trying. */
  start(): void {
    this.#running = this.#run()
  }

  /** Ends; what is in the outbox stays there for the next publisher. */
  async stop(): Promise<void> {
    this.#stopped.abort()
    this.poke()
    await this.#running
  }

  /** Says that something was committed, so that it is published at once and not at the next sweep. */
  poke(): void {
    this.#wakeUp.call()
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

  async #run(): Promise<void> {
    const { signal } = this.#stopped
    const backoff = new Backoff({ firstMs: 100, maxMs: 2_000 })
    while (!signal.aborted) {
      try {
        await this.#follow(backoff)
      } catch (error) {
        if (signal.aborted) return
        this.#failingSince ??= new Date()
        this.#outage.failed(error)
        await delay(backoff.next(), undefined, { signal }).catch(() => {})
      }
    }
  }

  /** Works on one connection until it is lost or the log is stopped. */
  async #follow(backoff: Backoff): Promise<void> {
    const client = await connectDirectly(this.#deps.endpoint, {
      name: 'catalyst-db events',
      timeoutMs: ROUND_LIMIT_MS,
    })
    const lost = new AbortController()
    lost.signal.addEventListener('abort', () => this.poke())
    client.on('error', (error) => lost.abort(error))
    client.on('end', () => lost.abort(new LostConnection(null)))
    const ownPid = Reflect.get(client, 'processID')
    client.on('notification', ({ channel, payload = '', processId }) => {
      // What this connection has published it delivers itself.
      if (channel !== statements.CHANNEL || processId !== ownPid) this.#notified(channel, payload)
    })
    try {
      const channels = [statements.CHANNEL, ...this.#hints.keys()]
      await client.query(channels.map((channel) => `listen ${channel}`).join('; '))
      if (this.#deps.greeting) await many(client, this.#deps.greeting)
      const { seq } = await one(client, statements.latestSeq())
      // A failover may have lost the newest events: what is numbered anew must be delivered too.
      this.#lastSeq = Math.min(this.#lastSeq ?? seq, seq)
      while (!this.#stopped.signal.aborted) {
        lost.signal.throwIfAborted()
        this.#wakeUp.answer()
        const hasPublished = await this.#publish(client)
        await this.#deliver(client)
        await this.#retain(client)
        backoff.reset()
        this.#failingSince = null
        this.#outage.over()
        // Under load many commits are published together, and writers keep the processor.
        if (hasPublished) await delay(REST_MS)
        await this.#wakeUp.rest(SWEEP_MS)
      }
    } finally {
      await client.end().catch(() => {})
    }
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
      const events = await many(client, statements.eventsAfter(this.#lastSeq ?? 0, null, BATCH))
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
    for (const { number } of await many(client, statements.expiredPartitions())) {
      await client.query(statements.dropPartition(number).text)
    }
    await many(client, statements.forgetKeys())
  }
}

/** The driver answers several statements with a list of results. */
function publishedOf(results: unknown): statements.Published {
  const result = Array.isArray(results) ? results.at(-2) : undefined
  if (!(result instanceof pg.Result)) throw new Error('publishing did not answer what it did')
  return result.rows[0]
}

async function many<Row>(client: pg.Client, statement: Statement<Row>): Promise<Row[]> {
  const { text, values } = statement
  return (await client.query<Row & pg.QueryResultRow>(text, [...values])).rows
}

async function one<Row>(client: pg.Client, statement: Statement<Row>): Promise<Row> {
  const [row] = await many(client, statement)
  if (row === undefined) throw new Error('a statement that must return a row returned none')
  return row
}
