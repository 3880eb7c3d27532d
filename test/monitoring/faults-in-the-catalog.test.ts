import { expect, onTestFinished, test } from 'vitest'
import { startApp } from '../support/app.js'
import { waitFor } from '../support/wait-for.js'
import { monitoringPolicy } from './policy.js'

const { client, database } = await startApp({ env: monitoringPolicy() })

interface Answered {
  readonly check: string
  readonly object: string | null
  readonly [field: string]: unknown
}

/** The finding of a check, once it is there. */
const rises = (check: string, object?: string): Promise<Answered> =>
  waitFor(
    async () => {
      const { findings } = await client.resource('db/findings')
      return findings.find(
        (one: Answered) => one.check === check && (object === undefined || one.object === object),
      )
    },
    { what: `${check} of ${object}` },
  )

/** Waits until it is well again. */
const falls = (check: string) =>
  waitFor(
    async () =>
      (await client.resource('db/findings')).passed.some((one: Answered) => one.check === check),
    { what: `${check} to be well` },
  )

/** What was told of a check, in order. */
const told = async (check: string) => {
  const { events } = await client.tool('list_events', {
    types: ['db.performance.degraded'],
    after: 0,
    limit: 500,
  })
  return events
    .filter(({ data }: { data: Answered }) => data.check === check)
    .map(({ data }: { data: Answered }) => `${data.state} ${data.object}`)
}

test('a sequence that is nearly used up is named with its column, its share and what to do', async () => {
  await database.query('create table orders (id serial primary key)')
  await database.query(`select setval('orders_id_seq', 1975000000)`)
  expect(await rises('sequence_exhaustion')).toMatchObject({
    severity: 'critical',
    object: 'public.orders_id_seq',
    title: expect.stringMatching(/public\.orders_id_seq of public\.orders\.id is 92 % used up/),
    evidence: { last_value: 1_975_000_000, limit_value: 2_147_483_647, used_share: 0.9197 },
    threshold: 0.7,
    since: expect.stringMatching(/Z$/),
    next_step: expect.stringMatching(/bigint/),
  })
  await waitFor(async () => (await told('sequence_exhaustion')).length === 1)
  await database.query('alter table orders alter id type bigint')
  await database.query('alter sequence orders_id_seq as bigint')
  await falls('sequence_exhaustion')
  await waitFor(async () => (await told('sequence_exhaustion')).length === 2)
  expect(await told('sequence_exhaustion')).toEqual([
    'on public.orders_id_seq',
    'off public.orders_id_seq',
  ])
})

test('an index that a failed concurrent build left behind is named, and may be rebuilt', async () => {
  await database.query('create table twice (id int)')
  await database.query('insert into twice values (1), (1)')
  await expect(
    database.query('create unique index concurrently twice_id on twice (id)'),
  ).rejects.toThrow(/could not create unique index/)
  expect(await rises('invalid_index')).toMatchObject({
    severity: 'warning',
    object: 'public.twice_id',
    evidence: { table: 'public.twice', is_unique: true },
    next_step: expect.stringMatching(/reindex index concurrently public\.twice_id/),
  })
  await database.query('drop index twice_id')
  await falls('invalid_index')
})

test('of two indexes that say the same the one that may go is named', async () => {
  await database.query('create table pair (a int, b int)')
  await database.query('create unique index pair_first on pair (a)')
  await database.query('create index pair_second on pair (a)')
  await database.query('create index pair_other on pair (b)')
  expect(await rises('duplicate_index')).toMatchObject({
    severity: 'info',
    object: 'public.pair_second',
    evidence: { same_as: 'public.pair_first' },
  })
  const { findings } = await client.resource('db/findings?severity=info')
  expect(findings.filter(({ check }: Answered) => check === 'duplicate_index')).toHaveLength(1)
  await database.query('drop table pair')
})

test('a table that has become another without autoanalyze has stale statistics', async () => {
  await database.query(
    'create table grown (n int) with (autovacuum_enabled = off); insert into grown select generate_series(1, 1000)',
  )
  await database.query('analyze grown')
  await database.query('insert into grown select generate_series(1, 20000)')
  expect(await rises('stale_statistics', 'public.grown')).toMatchObject({
    severity: 'warning',
    evidence: {
      planner_rows: 1_000,
      // Connections report what they did in their own time, so what was before the analyze may be counted.
      changed_rows: expect.toSatisfy((rows: number) => rows >= 20_000),
      autovacuum: false,
    },
  })
  await database.query('analyze grown')
  await falls('stale_statistics')
})

test('dead rows where autovacuum is off are named with their share, and vacuum ends it', async () => {
  await database.query(
    'create table stormy (n int) with (autovacuum_enabled = off); insert into stormy select generate_series(1, 20000)',
  )
  await database.query('analyze stormy')
  await database.query('update stormy set n = n + 1')
  const finding = await rises('dead_rows', 'public.stormy')
  expect(finding).toMatchObject({ severity: 'critical', evidence: { dead_rows: 20_000 } })
  expect(finding.next_step).toMatch(/Vacuum it/)
  expect(finding.next_step).not.toMatch(/FULL/)
  await database.query('vacuum stormy')
  await falls('dead_rows')
})

test('a foreign key without an index, of a table with many rows, is named with the index it lacks', async () => {
  await database.query('create table parents (id int primary key)')
  await database.query('insert into parents select generate_series(1, 10)')
  await database.query('create table children (id int, parent_id int references parents)')
  await database.query('insert into children select n, 1 from generate_series(1, 10000) n')
  await database.query('analyze children')
  expect(await rises('missing_fk_index')).toMatchObject({
    severity: 'info',
    object: 'public.children',
    evidence: { columns: ['parent_id'] },
  })
  await database.query('create index on children (parent_id)')
  await falls('missing_fk_index')
})

test('a partition that will be missing tomorrow is named before it is', async () => {
  await database.query('create table ticks (at date) partition by range (at)')
  await database.query(
    `do $$ begin execute format('create table ticks_now partition of ticks for values from (%L) to (%L)', current_date - 29, current_date + 1); end $$`,
  )
  expect(await rises('missing_partition')).toMatchObject({
    severity: 'warning',
    object: 'public.ticks',
    evidence: { last_partition: 'public.ticks_now' },
  })
  await database.query(
    `do $$ begin execute format('create table ticks_next partition of ticks for values from (%L) to (%L)', current_date + 1, current_date + 31); end $$`,
  )
  await falls('missing_partition')
})

test('a forgotten replication slot is named until it is dropped', async () => {
  const slot = `slot_${database.name}`
  await database.asSuperuser(`select pg_create_physical_replication_slot('${slot}', true)`)
  onTestFinished(async () => {
    await database.asSuperuser(`select pg_drop_replication_slot('${slot}')`).catch(() => {})
  })
  expect(await rises('replication_slot_inactive', slot)).toMatchObject({
    severity: 'critical',
    title: expect.stringMatching(/Nobody reads the replication slot/),
    next_step: expect.stringMatching(/pg_drop_replication_slot/),
  })
  expect(await client.resource('db/status')).toMatchObject({ status: 'unhealthy' })
  await database.asSuperuser(`select pg_drop_replication_slot('${slot}')`)
  await falls('replication_slot_inactive')
})
