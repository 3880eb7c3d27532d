import { expect, inject, test, vi } from 'vitest'
import { RedisServer } from '../cache/redis-server.js'
import { TestClient } from '../support/app.js'
import { Cluster } from '../support/cluster.js'
import { createDatabase } from '../support/database.js'
import { article } from '../support/news.js'
import { ServedProcess } from '../support/served.js'
import { waitFor } from '../support/wait-for.js'

vi.setConfig({ testTimeout: 180_000 })

/** By then everything that works in the background has tried, most of it several times. */
const LONG_MS = 6_000
const BEGINS = 'the database is interrupted, trying again'
const ENDS = 'the database works again'

/** A served process, with what its log says beyond single calls. */
async function serve(databaseUrl: string, redisUrl = `unix://${inject('redisPath')}`) {
  const served = await ServedProcess.start({ DATABASE_URL: databaseUrl, REDIS_URL: redisUrl })
  const lines = () =>
    served.stderr
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line): { level: string; msg: string; err?: unknown } => JSON.parse(line))
      .filter(({ level }) => level !== 'info')
  const told = () => lines().map(({ msg }) => msg)
  const connect = () => TestClient.connect(served.url, 'modern')
  return { lines, told, connect }
}

/** It has said for so long that PostgreSQL is down. */
const untilLong = (client: TestClient) =>
  waitFor(async () => {
    const { postgresql, checked_at } = await client.resource('db/status')
    return Date.parse(checked_at) - Date.parse(postgresql.since) > LONG_MS
  })

test('PostgreSQL is away and back: two lines for the whole server, whatever it was at', async () => {
  const cluster = await Cluster.start()
  const { told, connect } = await serve(cluster.url)
  const client = await connect()
  const { session_id } = await client.tool('start_db_session')
  await client.tool('persist_news_catalyst', { ...article(), session_id })
  for (let time = 1; time <= 2; time++) {
    await cluster.stop('immediate')
    await client.refused('persist_news_catalyst', { ...article(), session_id })
    await client.refused('sync_pattern_outcomes')
    await waitFor(() => told().length === time * 2 - 1)
    await untilLong(client)
    await cluster.start()
    await waitFor(() => told().length === time * 2)
    await client.tool('persist_news_catalyst', article())
    expect(told()).toEqual(Array(time).fill([BEGINS, ENDS]).flat())
  }
  // A restart that is over before anybody tries is none.
  const before = told().length
  await cluster.stop('fast')
  await cluster.start()
  await waitFor(async () => (await client.resource('db/status')).status !== 'unhealthy')
  await waitFor(() => told().at(-1) === ENDS)
  expect([0, 2]).toContain(told().length - before)
  await client.close()
})

test('a server that starts before its database says so in one line', async () => {
  const cluster = await Cluster.start()
  await cluster.stop('fast')
  const { told, connect } = await serve(cluster.url)
  const client = await connect()
  await untilLong(client)
  expect(told()).toEqual([BEGINS])
  await cluster.start()
  await waitFor(() => told().length > 1)
  expect(told()).toEqual([BEGINS, ENDS])
  await client.close()
})

test('what fails in one part alone is told as its own, while PostgreSQL works', async () => {
  const database = await createDatabase()
  const { told, connect } = await serve(database.url)
  const client = await connect()
  await database.query(`
    create function break_it() returns trigger language plpgsql as
      $$ begin raise exception 'broken' using errcode = 'XX000'; end $$;
    create trigger broken before insert on catalyst.audit_log execute function break_it()`)
  await client.tool('persist_news_catalyst', article())
  await waitFor(() => told().length > 0)
  await database.query('drop function break_it() cascade')
  await waitFor(() => told().length > 1)
  expect(told()).toEqual(['the audit is interrupted, trying again', 'the audit works again'])
  await client.close()
})

test('a cache that is away and back is two lines as well', async () => {
  const { url } = await createDatabase()
  const redis = await RedisServer.create()
  await redis.start()
  const { told, connect } = await serve(url, `unix://${redis.socket}`)
  const client = await connect()
  await redis.kill()
  for (let i = 0; i < 20; i++) {
    await client.resource('news')
    await client.resource('db/status')
  }
  await waitFor(() => told().length > 0)
  await redis.start()
  await waitFor(() => told().length > 1)
  expect(told()).toEqual(['the cache is interrupted, trying again', 'the cache works again'])
  await Promise.all([client.close(), redis.dispose()])
})
