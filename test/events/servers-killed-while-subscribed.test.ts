import { setTimeout as delay } from 'node:timers/promises'
import { expect, inject, test } from 'vitest'
import { type Era, TestClient } from '../support/app.js'
import { createDatabase } from '../support/database.js'
import { ServedProcess } from '../support/served.js'
import { waitFor } from '../support/wait-for.js'

/** The long edition is run by `npm run test:long`. */
const LONG = process.env.CATALYST_TEST_LONG === '1'
const SUBSCRIBERS = LONG ? 200 : 16
const EVENTS = LONG ? 10_000 : 1_000
const KILLS = LONG ? 6 : 3

const database = await createDatabase()
const env = {
  DATABASE_URL: database.url,
  REDIS_URL: `unix://${inject('redisPath')}`,
  LOG_LEVEL: 'silent',
}

/** A client as a service would write it: subscribes, reads on, and after a break goes on from its cursor. */
class Subscriber {
  readonly seen: number[] = []
  readonly #url: string
  readonly #era: Era
  readonly #stopped = new AbortController()
  #connection = new AbortController()
  #after = 0
  #running: Promise<void> = Promise.resolve()

  constructor(url: string, era: Era) {
    this.#url = url
    this.#era = era
  }

  start(): void {
    this.#running = this.#follow()
  }

  async stop(): Promise<void> {
    this.#stopped.abort()
    await this.#running
  }

  /** Its server has died: a 2025 client would wait a minute for the answer it was giving. */
  breakOff(): void {
    this.#connection.abort()
  }

  async #follow(): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      try {
        await this.#session()
      } catch {
        await delay(100)
      }
    }
  }

  async #session(): Promise<void> {
    this.#connection = new AbortController()
    const { signal } = this.#connection
    const client = await TestClient.connect(this.#url, this.#era)
    try {
      let wake = () => {}
      client.sdk.setNotificationHandler('notifications/resources/updated', () => wake())
      if (this.#era === 'modern')
        await client.sdk.listen({ resourceSubscriptions: ['catalyst://events'] })
      else await client.sdk.subscribeResource({ uri: 'catalyst://events' }, { signal })
      while (!this.#stopped.signal.aborted) {
        const updated = new Promise<void>((resolve) => {
          wake = resolve
        })
        if (!(await this.#read(client, signal))) await Promise.race([updated, delay(1_000)])
      }
    } finally {
      await client.close().catch(() => {})
    }
  }

  /** True when there may be more. */
  async #read(client: TestClient, signal: AbortSignal): Promise<boolean> {
    const { events, next_cursor } = await client.resource(`events?after=${this.#after}&limit=500`, {
      signal,
    })
    for (const event of events)
      if (event.type === 'db.error') this.seen.push(Number(event.data.code))
    this.#after = next_cursor
    return events.length === 500
  }
}

const WRITERS = 4

/** Writers whose transactions overlap, so that they commit in another order than they began. */
async function write(from: number, count: number): Promise<void> {
  const values = Array.from({ length: count }, (_, i) => from + i)
  const shares = Array.from({ length: WRITERS }, (_, w) => values.filter((n) => n % WRITERS === w))
  await Promise.all(
    shares.map((share) =>
      database.query(
        `insert into catalyst.event_outbox (type, data)
         select 'db.error', jsonb_build_object('code', n::text, 'message', '', 'session_id', null)
         from unnest($1::int[]) as n`,
        [share],
      ),
    ),
  )
}

test('with servers killed and restarted, every subscriber of both eras has each event once and in order', async () => {
  const servers = [await ServedProcess.start(env), await ServedProcess.start(env)]
  const subscribers = Array.from({ length: SUBSCRIBERS }, (_, i) => {
    const server = servers[i % 2]
    if (!server) throw new Error('no server')
    return new Subscriber(server.url, i % 4 < 2 ? 'legacy' : 'modern')
  })
  for (const subscriber of subscribers) subscriber.start()
  const batch = EVENTS / (KILLS * 10)
  let written = 0
  for (let kill = 0; kill < KILLS; kill++) {
    const victim = servers[kill % 2]
    for (let i = 0; i < 10; i++) {
      const count = Math.min(Math.ceil(batch), EVENTS - written)
      await write(written, count)
      written += count
      if (i === 3) {
        await victim?.kill()
        for (const [n, subscriber] of subscribers.entries()) {
          if (n % 2 === kill % 2) subscriber.breakOff()
        }
      }
      if (i === 7) await victim?.start()
    }
  }
  await waitFor(() => subscribers.every(({ seen }) => seen.length >= EVENTS), {
    timeoutMs: LONG ? 240_000 : 180_000,
    what: 'every subscriber having every event',
  })
  await Promise.all(subscribers.map((subscriber) => subscriber.stop()))
  const log = await database.query<{ code: number }>(
    `select (data->>'code')::int as code from catalyst.events where type = 'db.error' order by seq`,
  )
  const expected = log.map(({ code }) => code)
  expect(new Set(expected).size).toBe(EVENTS)
  for (const { seen } of subscribers) expect(seen).toEqual(expected)
  for (const server of servers) await server.kill()
}, 400_000)
