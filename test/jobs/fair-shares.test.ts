import { expect, test } from 'vitest'
import { newId } from '../../src/lib/ids.js'
import { startApp } from '../support/app.js'
import { waitFor } from '../support/wait-for.js'
import { Bench, benchPart } from './bench.js'

const SLOTS = 8
const MANY = 150
const bench = new Bench()
const env = { CATALYST_JOB_WAIT_SECONDS: '0' }
const parts = [benchPart(bench)]
const app = await startApp({ parts, env })
const { client, database } = app
const labels = Array.from({ length: MANY }, (_, n) => `of 150 no. ${n}`)

const waiting = async () => {
  const [row] = await database.query<{ n: number }>(
    `select count(*)::int as n from catalyst.jobs where state = 'queued'`,
  )
  return row?.n
}

/** A call over stdio is one of another owner; here its row is enough, for that is all that servers see. */
const queueOf = (owner: string, label: string) =>
  database.query(
    `insert into catalyst.jobs
       (job_id, tool, principal, owner, arguments, arguments_sha256, on_restart)
     values ($1, 'run_held', 'local', $2, $3, '', 'resume')`,
    [newId('job'), owner, JSON.stringify({ label })],
  )

test('150 jobs of one caller are before nobody else for longer than one of them takes', async () => {
  await Promise.all(labels.map((label) => client.tool('run_held', { label })))
  await waitFor(() => bench.started.length === SLOTS)
  expect(await waiting()).toBe(MANY - SLOTS)
  await queueOf('another', 'of another')
  await queueOf('a third', 'of a third')

  // What people wait for has slots of its own: not one of the 150 has ended.
  for (const args of [{ dry_run: true }, {}]) {
    const { job_id } = await client.tool('run_migrations', args)
    expect(await client.tool('get_job', { job_id, wait_ms: 25_000 })).toMatchObject({
      state: 'succeeded',
      result: { migrations_applied: [] },
    })
  }
  expect(bench.started).toHaveLength(SLOTS)

  // The next two that end make room for the two who have waited the shortest.
  bench.open('of another')
  for (const label of bench.started.slice(0, 2)) bench.open(label)
  await waitFor(() => bench.startsOf('of a third') === 1 && bench.startsOf('of another') === 1)
  const before = bench.started.indexOf('of a third')
  expect(bench.started.slice(0, before).filter((label) => labels.includes(label))).toHaveLength(
    SLOTS,
  )
  expect(bench.started.indexOf('of another')).toBe(SLOTS)
  expect(await waiting()).toBeGreaterThanOrEqual(MANY - SLOTS - 1)
})

test('a second server takes what the first has no room for, and all are run once', async () => {
  const second = await startApp({ database, parts, env })
  await queueOf('another', 'of another again')
  await waitFor(() => bench.startsOf('of another again') === 1)
  for (const label of [...labels, 'of a third', 'of another again']) bench.open(label)
  await waitFor(async () => {
    const [row] = await database.query<{ n: number }>(
      `select count(*)::int as n from catalyst.jobs where state <> 'succeeded'`,
    )
    return row?.n === 0
  })
  expect(bench.started).toHaveLength(MANY + 3)
  expect(bench.hasOverlapped).toBe(false)
  await second.close()
})
