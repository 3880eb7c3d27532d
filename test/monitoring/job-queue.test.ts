import { test } from 'vitest'
import { serve } from '../failures/serving.js'
import { Cluster } from '../support/cluster.js'
import { expectUnusable, readiness } from '../support/health.js'
import { waitFor } from '../support/wait-for.js'

test('a table of jobs that may not be used is told of, with the line that mends it', async () => {
  const cluster = await Cluster.start()
  await cluster.query('create role ordinary login')
  await cluster.query('grant all on schema catalyst to ordinary')
  await cluster.query('grant all on all tables in schema catalyst to ordinary')
  await cluster.query('grant all on all sequences in schema catalyst to ordinary')
  const served = await serve(cluster.urlFor('ordinary'))
  await waitFor(async () => (await readiness(served)).ready)
  await cluster.query('revoke update on catalyst.jobs from ordinary')
  await expectUnusable(
    served,
    /Long operations \(jobs\) cannot run/,
    /grant select, insert, update, delete on catalyst\.jobs/,
  )
  await cluster.query('grant update on catalyst.jobs to ordinary')
  await waitFor(async () => (await readiness(served)).ready)
})
