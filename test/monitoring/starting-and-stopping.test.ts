import { expect, inject, test } from 'vitest'
import { serve } from '../failures/serving.js'
import { Cluster } from '../support/cluster.js'
import { expectCommandsToSay, expectRefused, expectUnusable, readiness } from '../support/health.js'
import { waitFor } from '../support/wait-for.js'

const redis = { REDIS_URL: `unix://${inject('redisPath')}` }

test('a PostgreSQL that recovers is named as such, and used once it is done', async () => {
  const cluster = await Cluster.start()
  await cluster.recover()
  const served = await serve(cluster.url)
  const recovers = /PostgreSQL is starting up or recovering/
  await expectUnusable(served, recovers, /Wait until it is done/)
  await expectRefused(served, recovers)
  const env = { DATABASE_URL: cluster.url, ...redis }
  await expectCommandsToSay(env, recovers, /Wait until it is done/)
  await cluster.recovered()
  await waitFor(async () => (await readiness(served)).status === 200, { what: 'a ready server' })
})

test('one that is shutting down while its clients are still there is named as such', async () => {
  const cluster = await Cluster.start()
  const served = await serve(cluster.url)
  expect(await readiness(served)).toMatchObject({ status: 200 })
  await cluster.stopWhenLeft()
  const stops = /PostgreSQL is shutting down/
  await expectUnusable(served, stops, /Start it again/)
  const env = { DATABASE_URL: cluster.url, ...redis }
  await expectCommandsToSay(env, stops, /Start it again/)
})
