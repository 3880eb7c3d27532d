import { expect, test } from 'vitest'
import { serve } from '../failures/serving.js'
import { Cluster } from '../support/cluster.js'
import { expectUnusable, readiness } from '../support/health.js'
import { waitFor } from '../support/wait-for.js'

const CAUSE = /Long operations \(jobs\) cannot run/

test('a role that may not read or write the table of jobs is told so, and jobs go on once it may', async () => {
  const cluster = await Cluster.start()
  await cluster.query('create role ordinary login')
  await cluster.query('grant all on schema catalyst to ordinary')
  await cluster.query('grant all on all tables in schema catalyst to ordinary')
  const served = await serve(cluster.urlFor('ordinary'))
  await waitFor(async () => (await readiness(served)).ready)
  await cluster.query('revoke update on catalyst.jobs from ordinary')
  await expectUnusable(served, CAUSE, /grant all on table catalyst\.jobs/)
  await cluster.query('grant update on catalyst.jobs to ordinary')
  await waitFor(async () => (await readiness(served)).ready)
  const answer = await (await served.connect()).tool('run_migrations', { dry_run: true })
  expect(answer).toMatchObject({ migrations_applied: [] })
})
