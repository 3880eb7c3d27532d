import { expect, inject, test } from 'vitest'
import { serve } from '../failures/serving.js'
import { Cluster } from '../support/cluster.js'
import {
  expectCommandsToSay,
  expectRefused,
  expectUnusable,
  readiness,
  runPatiently,
} from '../support/health.js'
import { article } from '../support/news.js'

const redis = { REDIS_URL: `unix://${inject('redisPath')}` }

test('where only a standby answers, nothing is ready', async () => {
  const primary = await Cluster.start()
  const standby = await primary.startStandby(`host=${primary.sockets} port=5432`)
  const alone = await serve(standby.url)
  const recovery = /in recovery.*takes no writes/
  await expectUnusable(alone, recovery, /Point DATABASE_URL at the primary/)
  await expectRefused(alone, /reads only/)
  await expectCommandsToSay(
    { DATABASE_URL: standby.url, ...redis },
    /in recovery|reads only/,
    /primary/,
    [['status'], ['doctor']],
  )

  const hosts = [primary, standby].map(({ sockets }) => encodeURIComponent(sockets)).join(',')
  const both = await serve(
    `postgresql://postgres@/catalyst?host=${hosts}&port=5432&sslmode=disable`,
  )
  expect(await (await both.connect()).resource('db/status')).toMatchObject({
    postgresql: { status: 'up', reason: null },
  })
  await primary.stop('immediate')
  await expectUnusable(both, recovery, /promote/)
  await expectRefused(both, /takes writes|was lost/)
})

test('a server whose transactions only read unless they say otherwise is written to, and is ready', async () => {
  const cluster = await Cluster.start()
  cluster.configure({ default_transaction_read_only: 'on' })
  await cluster.stop('fast')
  await cluster.start()
  const served = await serve(cluster.url)
  const client = await served.connect()
  await client.tool('persist_news_catalyst', article())
  expect(await readiness(served)).toEqual({ status: 200, ready: true, reason: null })
  expect(await client.resource('db/status')).toMatchObject({
    postgresql: { status: 'up', reason: null },
  })
  const { stdout } = await runPatiently(['doctor', '--json'], {
    DATABASE_URL: cluster.url,
    ...redis,
  })
  expect(JSON.parse(stdout).findings).toContainEqual(
    expect.objectContaining({ check: 'Writable', status: 'ok' }),
  )
})
