import { expect, onTestFinished, test } from 'vitest'
import { Cluster } from '../support/cluster.js'
import { createDatabase } from '../support/database.js'
import { FaultProxy } from '../support/fault-proxy.js'
import { article } from '../support/news.js'
import { waitFor } from '../support/wait-for.js'
import { repeat, serve } from './serving.js'

const BACK_WITHIN_MS = 5_000

async function took<T>(work: Promise<T>): Promise<{ readonly ms: number; readonly value: T }> {
  const started = performance.now()
  const value = await work
  return { ms: performance.now() - started, value }
}

test('a server started before its database says so, and works once it is there', async () => {
  const cluster = await Cluster.start()
  await cluster.stop('fast')
  const served = await serve(cluster.url)
  const client = await served.connect()
  const refused = await took(client.refused('persist_news_catalyst', article()))
  expect(refused.value).toMatchObject({ code: 'unavailable', retryable: true })
  expect(refused.value.hint).toContain('db/status')
  expect(refused.ms).toBeLessThan(1_000)
  const status = await client.resource('db/status')
  expect(status).toMatchObject({ status: 'unhealthy', postgresql: { status: 'down' } })
  await cluster.start()
  const back = await took(repeat(client, 'persist_news_catalyst', article()))
  expect(back.ms).toBeLessThan(BACK_WITHIN_MS)
  await waitFor(async () => (await client.resource('db/status')).status !== 'unhealthy')
})

test('a database killed while serving is reported at once, and used again when it is back', async () => {
  const cluster = await Cluster.start()
  const served = await serve(cluster.url)
  const client = await served.connect()
  await client.tool('persist_news_catalyst', article())
  await cluster.stop('immediate')
  for (let i = 0; i < 10; i++) {
    const { ms, value } = await took(client.refused('persist_news_catalyst', article()))
    expect(value).toMatchObject({ code: 'unavailable', retryable: true })
    expect(ms).toBeLessThan(1_000)
  }
  expect((await client.resource('db/status')).postgresql.status).toBe('down')
  await cluster.start()
  const back = await took(repeat(client, 'persist_news_catalyst', article()))
  expect(back.ms).toBeLessThan(BACK_WITHIN_MS)
  expect((await client.resource('db/status')).postgresql.status).toBe('up')
  process.stdout.write(`back after ${Math.round(back.ms)} ms\n`)
})

test('a database behind a dead network is not waited for by every call, and noticed when it is back', async () => {
  const database = await createDatabase()
  onTestFinished(() => database.drop())
  const proxy = await FaultProxy.forThisTest(database.url)
  const client = await (await serve(proxy.url(database.name))).connect()
  proxy.silence()
  const first = await took(
    Promise.all(
      Array.from({ length: 5 }, () => client.refused('persist_news_catalyst', article())),
    ),
  )
  expect(first.value.map(({ code }) => code)).toEqual(Array(5).fill('unavailable'))
  expect(first.ms).toBeLessThan(10_000)
  const second = await took(client.refused('persist_news_catalyst', article()))
  expect(second.value).toMatchObject({ code: 'unavailable', retryable: true })
  expect(second.ms).toBeLessThan(250)
  proxy.speak()
  const back = await took(repeat(client, 'persist_news_catalyst', article()))
  expect(back.ms).toBeLessThan(BACK_WITHIN_MS)
  process.stdout.write(
    `refused in ${Math.round(second.ms)} ms, back after ${Math.round(back.ms)} ms\n`,
  )
})
