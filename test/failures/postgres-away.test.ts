import { expect, onTestFinished, test } from 'vitest'
import { Cluster } from '../support/cluster.js'
import { createDatabase } from '../support/database.js'
import { FaultProxy } from '../support/fault-proxy.js'
import { article } from '../support/news.js'
import { waitFor } from '../support/wait-for.js'
import { repeat, serve } from './serving.js'

const CALLS = 20

test('a server started before its database says so, and works once it is there', async () => {
  const cluster = await Cluster.start()
  await cluster.stop('fast')
  const served = await serve(cluster.url)
  const client = await served.connect()
  const refused = await client.refused('persist_news_catalyst', article())
  expect(refused).toMatchObject({ code: 'unavailable', retryable: true })
  expect(refused.hint).toContain('db/status')
  const status = await client.resource('db/status')
  expect(status).toMatchObject({ status: 'unhealthy', postgresql: { status: 'down' } })
  await cluster.start()
  await repeat(client, 'persist_news_catalyst', article())
  await waitFor(async () => (await client.resource('db/status')).status !== 'unhealthy')
})

test('a database killed while serving is reported at once, and used again when it is back', async () => {
  const cluster = await Cluster.start()
  const served = await serve(cluster.url)
  const client = await served.connect()
  await client.tool('persist_news_catalyst', article())
  await cluster.stop('immediate')
  for (let i = 0; i < 10; i++) {
    const refused = await client.refused('persist_news_catalyst', article())
    expect(refused).toMatchObject({ code: 'unavailable', retryable: true })
  }
  expect((await client.resource('db/status')).postgresql.status).toBe('down')
  await cluster.start()
  await repeat(client, 'persist_news_catalyst', article())
  expect((await client.resource('db/status')).postgresql.status).toBe('up')
})

test('a database behind a dead network is not waited for by every call, and noticed when it is back', async () => {
  const database = await createDatabase()
  onTestFinished(() => database.drop())
  const proxy = await FaultProxy.forThisTest(database.url)
  const client = await (await serve(proxy.url(database.name))).connect()
  proxy.silence()
  const refusals = async (count: number) => {
    const calls = Array.from({ length: count }, () =>
      client.refused('persist_news_catalyst', article()),
    )
    return (await Promise.all(calls)).map(({ code }) => code)
  }
  expect(await refusals(5)).toEqual(Array(5).fill('unavailable'))
  const { asked } = proxy
  expect(await refusals(CALLS)).toEqual(Array(CALLS).fill('unavailable'))
  // Each would have asked twice; now one a second does on behalf of all.
  expect(proxy.asked - asked).toBeLessThan(CALLS)
  proxy.speak()
  await repeat(client, 'persist_news_catalyst', article())
})
