import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { createDatabase } from '../support/database.js'
import { waitFor } from '../support/wait-for.js'
import { Bench, benchPart } from './bench.js'

const bench = new Bench()
const parts = [benchPart(bench)]

test('a server that starts before its database runs jobs once that is there', async () => {
  const database = await createDatabase()
  const admin = await createDatabase({ empty: true })
  await admin.query(`alter database ${database.name} rename to ${database.name}_away`)
  const app = await startApp({ database, parts })
  const early = await app.client.refused('run_held', { label: 'early' })
  expect(early).toMatchObject({ code: 'unavailable' })
  await admin.query(`alter database ${database.name}_away rename to ${database.name}`)
  bench.open('late')
  await waitFor(async () => {
    const answer = app.client.tool('run_held', { label: 'late' }).catch(() => null)
    return (await answer)?.label === 'late'
  })
  await app.close()
  await database.drop()
  await admin.drop()
})

test('connections that are cut while a job runs cost neither the job nor its answer', async () => {
  const app = await startApp({ parts })
  const answer = app.client.tool('run_held', { label: 'cut' })
  await waitFor(() => bench.isRunning('cut'))
  const cut = () =>
    app.database.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and application_name like 'catalyst-db%'`,
    )
  await cut()
  bench.open('cut')
  await cut()
  expect(await answer).toEqual({ label: 'cut', starts: 1 })
})

test('jobs that ended more than 7 days ago are forgotten, others are not', async () => {
  const database = await createDatabase()
  await database.query(
    `insert into catalyst.jobs
       (job_id, tool, principal, arguments, arguments_sha256, on_restart, state, result, finished_at)
     select 'job_' || md5(n::text), 't', 'local', '{}', '', 'fail', 'succeeded', '{}',
       now() - n * interval '1 hour'
     from generate_series(1, 2000) as n`,
  )
  const app = await startApp({ database, parts: [benchPart(new Bench())] })
  await waitFor(async () => {
    const [row] = await database.query<{ n: number }>(
      'select count(*)::int as n from catalyst.jobs',
    )
    return row?.n === 7 * 24 - 1
  })
  await app.close()
  await database.drop()
})
