import { expect, onTestFinished, test } from 'vitest'
import { parseDatabaseUrl } from '../../src/platform/postgres/connection.js'
import { Database } from '../../src/platform/postgres/database.js'
import { sql } from '../../src/platform/postgres/sql.js'
import { createDatabase } from '../support/database.js'
import { FaultProxy } from '../support/fault-proxy.js'
import { article } from '../support/news.js'
import { soonerThan } from '../support/sooner-than.js'
import { waitFor } from '../support/wait-for.js'
import { serve } from './serving.js'

const database = await createDatabase()

const articles = async () =>
  (await database.query<{ n: number }>('select count(*)::int as n from catalyst.news_articles'))[0]
    ?.n ?? 0

test('an idle connection that PostgreSQL ended is not met by the next call', async () => {
  const client = await (await serve(database.url)).connect()
  for (let i = 0; i < 20; i++) {
    await client.tool('persist_news_catalyst', article())
    await database.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and application_name = 'catalyst-db'`,
    )
  }
})

test('a connection that dies in the middle of a call is replaced, and the call done once', async () => {
  const proxy = await FaultProxy.forThisTest(database.url)
  const client = await (await serve(proxy.url(database.name))).connect()
  await client.tool('persist_news_catalyst', article())
  const before = await articles()
  proxy.set({ at: ({ number }) => number === 30, deliver: true, how: 'reset' })
  await client.tool('persist_news_catalyst', article())
  expect(await articles()).toBe(before + 1)
})

/** The network goes dead under the pool's one connection at its next statement. */
async function poolOnDeadConnection() {
  const proxy = await FaultProxy.forThisTest(database.url)
  const pool = new Database({ endpoint: parseDatabaseUrl(proxy.url(database.name)), poolMax: 1 })
  onTestFinished(() => pool.close())
  await pool.one(sql`select 1 as one`)
  let silenced = 0
  proxy.set({ at: () => ++silenced > 0, deliver: false, how: 'silence' })
  return { pool, proxy, isSilent: () => waitFor(() => silenced > 0) }
}

test('a cancelled call on a connection that went silent ends at once, and the connection with it', async () => {
  const { pool, isSilent } = await poolOnDeadConnection()
  const gone = new AbortController()
  const call = pool
    .transaction((tx) => tx.one(sql`select 2 as two`), { signal: gone.signal })
    .catch((error: unknown) => error)
  await isSilent()
  gone.abort()
  expect(await soonerThan(1_000, call)).toMatchObject({ code: 'cancelled' })
  expect(pool.stats).toMatchObject({ total: 0 })
  expect(await pool.one(sql`select 3 as three`)).toEqual({ three: 3 })
})

test('a statement that cannot be stopped because its connection went silent does not hold its caller', async () => {
  const { pool, proxy } = await poolOnDeadConnection()
  let silenced = 0
  const isBind = (type: string) => type === 'B' && ++silenced > 0
  proxy.set({ at: ({ message }) => isBind(message.type), deliver: false, how: 'silence' })
  const gone = new AbortController()
  const call = pool
    .transaction((tx) => tx.one(sql`select ${2}::int as two`), { signal: gone.signal })
    .catch((error: unknown) => error)
  await waitFor(() => silenced > 0)
  gone.abort()
  // The statement itself may run for 30 s.
  expect(await soonerThan(20_000, call)).toMatchObject({ code: 'cancelled' })
  expect(pool.stats).toMatchObject({ total: 0 })
})

test('an idle connection that went silent is found out by its first statement, and another one taken', async () => {
  const { pool } = await poolOnDeadConnection()
  const call = pool.transaction((tx) => tx.one(sql`select 2 as two`))
  // The network is given up after 40 s.
  expect(await soonerThan(30_000, call)).toEqual({ two: 2 })
})

test('a silent connection is given up even when nobody cancels', async () => {
  const proxy = await FaultProxy.forThisTest(database.url)
  const client = await (await serve(proxy.url(database.name))).connect()
  // Prepared on every connection that may be taken: PostgreSQL limits how long a transaction idles, but
  // not how long it waits for the rest of a statement that was being prepared.
  const warmUp = Array.from({ length: 10 }, () => client.tool('persist_news_catalyst', article()))
  await Promise.all(warmUp)
  const before = await articles()
  // Only the story's own connection falls silent: the audit and the event log go on.
  const headline = 'Told into the silence'
  proxy.set({
    at: ({ message }) => message.bytes.includes(headline),
    deliver: false,
    how: 'silence',
    times: 1,
  })
  const started = performance.now()
  await client.tool('persist_news_catalyst', article({ headline }))
  expect(performance.now() - started).toBeGreaterThan(10_000)
  expect(await articles()).toBe(before + 1)
})

test('a slow network and one that delivers byte by byte only make calls slower', async () => {
  const proxy = await FaultProxy.forThisTest(database.url)
  const client = await (await serve(proxy.url(database.name))).connect()
  proxy.isSliced = true
  await client.tool('persist_news_catalyst', article())
  proxy.isSliced = false
  proxy.latencyMs = 20
  await client.tool('persist_news_catalyst', article())
  await waitFor(async () => (await client.resource('db/status')).postgresql.status === 'up')
})
