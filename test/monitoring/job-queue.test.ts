import { expect, test } from 'vitest'
import { serve } from '../failures/serving.js'
import { Cluster } from '../support/cluster.js'
import { expectUnusable, readiness } from '../support/health.js'
import { waitFor } from '../support/wait-for.js'

const CAUSE = /Long operations \(jobs\) cannot run/

test('a queue whose schema is missing and may not be made, or may not be used, is told of', {
  timeout: 120_000,
}, async () => {
  const cluster = await Cluster.start()
  await cluster.query('create role ordinary login')
  await cluster.query('grant all on schema catalyst to ordinary')
  await cluster.query('grant all on all tables in schema catalyst to ordinary')
  const served = await serve(cluster.urlFor('ordinary'))
  await expectUnusable(served, CAUSE, /grant create on database/)
  expect(await (await served.connect()).refused('run_migrations', {})).toMatchObject({
    code: 'unavailable',
    retryable: true,
  })
  await cluster.query('grant create on database catalyst to ordinary')
  await waitFor(async () => (await readiness(served)).ready, { timeoutMs: 30_000 })
  await cluster.query('revoke create on database catalyst from ordinary')
  await cluster.query('alter schema catalyst_jobs owner to postgres')
  await expectUnusable(served, CAUSE, /grant usage/)
  await cluster.query('alter schema catalyst_jobs owner to ordinary')
  await waitFor(async () => (await readiness(served)).ready, { timeoutMs: 30_000 })
  await cluster.query('alter schema catalyst_jobs rename to elsewhere')
  await expectUnusable(served, CAUSE, /missing/)
})
