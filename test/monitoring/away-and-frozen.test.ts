import { expect, inject, test } from 'vitest'
import { serve } from '../failures/serving.js'
import { Cluster } from '../support/cluster.js'
import { expectCommandsToSay, expectRefused, expectUnusable, readiness } from '../support/health.js'
import { waitFor } from '../support/wait-for.js'

const redis = { REDIS_URL: `unix://${inject('redisPath')}` }

test('a database that is stopped, frozen or lets nobody new in is told of, and so is its return', async () => {
  const cluster = await Cluster.start()
  const served = await serve(cluster.url)
  expect(await readiness(served)).toMatchObject({ status: 200, ready: true, reason: null })

  await cluster.stop('fast')
  const gone = /Nothing listens at the address of PostgreSQL/
  await expectUnusable(served, gone, /Start PostgreSQL/)
  await expectRefused(served, gone)
  await expectCommandsToSay({ DATABASE_URL: cluster.url, ...redis }, gone, /Start PostgreSQL/)
  await cluster.start()
  await waitFor(async () => (await readiness(served)).ready, { timeoutMs: 30_000 })

  cluster.freeze()
  const silent = /PostgreSQL does not answer/
  await expectUnusable(served, silent, /frozen/)
  await expectRefused(served, /does not answer|was lost/)
  await expectCommandsToSay({ DATABASE_URL: cluster.url, ...redis }, silent, /frozen/)
  cluster.thaw()
  await waitFor(async () => (await readiness(served)).ready, { timeoutMs: 30_000 })

  cluster.freezePostmaster()
  await expectUnusable(served, silent, /frozen/)
  cluster.thaw()
  await waitFor(async () => (await readiness(served)).ready, { timeoutMs: 30_000 })
})
