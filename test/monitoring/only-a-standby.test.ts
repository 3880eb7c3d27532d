import { expect, inject, test } from 'vitest'
import { serve } from '../failures/serving.js'
import { Cluster } from '../support/cluster.js'
import { expectCommandsToSay, expectRefused, expectUnusable } from '../support/health.js'

const redis = { REDIS_URL: `unix://${inject('redisPath')}` }

test('where only a standby answers, or a server that is read only, nothing is ready', {
  timeout: 180_000,
}, async () => {
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

test('a server whose configuration is read only says so', { timeout: 90_000 }, async () => {
  const cluster = await Cluster.start()
  const served = await serve(cluster.url)
  await cluster.query('alter system set default_transaction_read_only = on')
  await cluster.query('select pg_reload_conf()')
  await expectUnusable(served, /configured to be read only/, /default_transaction_read_only = off/)
})
