import pg from 'pg'
import { afterAll, expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { waitFor } from '../support/wait-for.js'
import { monitoringPolicy } from './policy.js'

const policy = monitoringPolicy({
  temp_files_per_10_minutes: [2, 1_000],
  checkpoints_requested_per_10_minutes: [1, 60],
  connections_used_pct: [1, 99],
  xmin_horizon_transactions: [20, 1_000_000],
})
const first = await startApp({ env: policy })
const second = await startApp({ env: policy, database: first.database })
const { client, database } = first

interface Answered {
  readonly check: string
  readonly object: string | null
  readonly [field: string]: unknown
}
const finding = (
  check: string,
  of = client,
  is: (found: Answered) => boolean = () => true,
): Promise<Answered> =>
  waitFor(
    async () =>
      (await of.resource('db/findings')).findings.find(
        (one: Answered) => one.check === check && is(one),
      ),
    { what: check },
  )
const well = (check: string) =>
  waitFor(
    async () => {
      const { findings } = await client.resource('db/findings')
      return !findings.some((one: Answered) => one.check === check)
    },
    { what: `no ${check}` },
  )
const told = async (check: string) => {
  const { events } = await client.tool('list_events', {
    types: ['db.performance.degraded'],
    after: 0,
    limit: 500,
  })
  return events.filter(({ data }: { data: Answered }) => data.check === check)
}

const sessions: pg.Client[] = []
async function session(name: string) {
  const one = new pg.Client({ connectionString: database.url, application_name: name })
  one.on('error', () => {})
  await one.connect()
  sessions.push(one)
  return one
}
afterAll(() => Promise.all(sessions.map((one) => one.end())))

test('a deadlock is told, once, by two servers together', async () => {
  await database.query('create table pair (id int primary key, n int)')
  await database.query('insert into pair values (1, 0), (2, 0)')
  const [a, b] = await Promise.all([session('a'), session('b')])
  await Promise.all([a.query('begin'), b.query('begin')])
  await a.query('update pair set n = 1 where id = 1')
  await b.query('update pair set n = 1 where id = 2')
  const ends = await Promise.allSettled([
    a.query('update pair set n = 2 where id = 2'),
    b.query('update pair set n = 2 where id = 1'),
  ])
  expect(ends.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  await Promise.all([a.query('rollback'), b.query('rollback')])
  expect(await finding('deadlocks')).toMatchObject({
    title: expect.stringMatching(/^1 deadlock in the last minute/),
    evidence: { deadlocks_last_minute: 1 },
  })
  await finding('deadlocks', second.client)
  await waitFor(async () => (await told('deadlocks')).length > 0)
  expect(await told('deadlocks')).toHaveLength(1)
})

test('what spills is named by its statement, with its bytes and work_mem', async () => {
  const one = await session('reports')
  await one.query(`set work_mem = '64kB'`)
  for (let call = 0; call < 4; call++) {
    await one.query(
      'select count(*) from (select n from generate_series(1, 50000) n order by n desc offset 0) s',
    )
  }
  const found = await finding('temp_files', client, ({ object }) => object !== null)
  expect(found).toMatchObject({
    object: expect.stringMatching(/^statement /),
    evidence: { query: expect.stringMatching(/order by n desc/) },
    next_step: expect.stringMatching(/work_mem/),
  })
  expect(Object(found.evidence).statement_bytes).toBeGreaterThan(0)
})

test('who uses up the connections is named, with how many of them are idle', async () => {
  await Promise.all(Array.from({ length: 12 }, () => session('leaky')))
  const found = await finding('connections_used', client, ({ evidence }) =>
    JSON.stringify(evidence).includes('"leaky"'),
  )
  expect(found).toMatchObject({
    severity: 'warning',
    title: expect.stringMatching(/connections are in use/),
  })
})

test('a transaction that stays open is what keeps vacuum from its work', async () => {
  const reader = await session('reader')
  await reader.query('begin isolation level repeatable read')
  await reader.query('select 1 from pair')
  const { rows } = await reader.query('select pg_backend_pid() as pid')
  for (let write = 0; write < 30; write++) await database.query('update pair set n = n + 1')
  expect(await finding('xmin_horizon')).toMatchObject({
    object: `process ${rows[0].pid}`,
    evidence: { application_name: 'reader' },
  })
  await reader.query('commit')
  await well('xmin_horizon')
})

test('a reset of the statistics raises nothing, and no rate runs backwards', async () => {
  const before = (await told('cache_hit_ratio')).length
  await database.asSuperuser('select pg_stat_reset()')
  const { sampled_at } = await client.resource('db/findings')
  const later = new Date(Date.parse(sampled_at) + 1_000).toISOString()
  await waitFor(async () => (await client.resource('db/findings')).sampled_at > later)
  const { findings } = await client.resource('db/findings')
  expect(findings.filter(({ check }: Answered) => check === 'cache_hit_ratio')).toEqual([])
  expect((await told('cache_hit_ratio')).length).toBe(before)
  const { series } = await client.resource('db/metrics?timeframe=15m&series=tps,cache_hit_ratio')
  for (const { points } of Object.values<{ points: [string, number | null][] }>(series)) {
    for (const [, value] of points) expect(value ?? 0).toBeGreaterThanOrEqual(0)
  }
})
