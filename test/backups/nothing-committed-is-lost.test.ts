import { afterAll, beforeAll, expect, test } from 'vitest'
import { createDatabase, type TestDatabase } from '../support/database.js'
import { waitFor } from '../support/wait-for.js'
import { FaultyStore, keepLog } from './kept-log.js'
import { archiveIn, insertedInto, newFolder } from './log-support.js'

let database: TestDatabase
beforeAll(async () => {
  database = await createDatabase()
  await database.query('create table lot (lot_id int primary key, said text)')
  // What is large takes its room in the log as it is.
  await database.query('alter table lot alter said set storage external')
})
afterAll(() => database.drop())

const isBegun = async () => (await database.query('select 1 from catalyst.log_mark')).length > 0

/** Rows with these ids, one transaction each. */
async function insert(from: number, to: number): Promise<void> {
  for (let id = from; id < to; id++) {
    await database.query('insert into lot values ($1, $2)', [id, `said ${id}`])
  }
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => from + at)

/** Ends the slot of a test, so that the next one begins anew. */
async function forget(): Promise<void> {
  await waitFor(async () => {
    await database.query('delete from catalyst.log_mark')
    const slots = await database.query<{ active: boolean }>(
      `select active from pg_replication_slots where database = current_database()`,
    )
    if (slots.some(({ active }) => active)) return false
    await database.query(
      `select pg_drop_replication_slot(slot_name) from pg_replication_slots where database = current_database()`,
    )
    return true
  })
  await database.query('truncate lot')
  for (const { name } of await database.query<{ name: string }>(
    'select pubname as name from pg_publication',
  )) {
    await database.query(`drop publication ${name}`)
  }
}

const STEPS: readonly (readonly [string, RegExp, 'before' | 'after'])[] = [
  ['before a segment is in the store', /\.pgo/, 'before'],
  ['between a segment and what says that it is there', /\.pgo/, 'after'],
  ['before a sidecar', /log\/[^/]*\.json$/, 'before'],
  ['between a sidecar and the confirmation', /log\/[^/]*\.json$/, 'after'],
]

test.for(STEPS)('whoever dies %s loses nothing, and nothing comes twice', async ([, key, when]) => {
  await forget()
  const folder = newFolder()
  const { faults, objects } = await FaultyStore.of(folder)
  const first = keepLog(database, { folder, objects })
  await waitFor(isBegun)
  const archive = await archiveIn(folder)
  await insert(0, 5)
  await waitFor(async () => (await insertedInto(archive, 'lot')).length === 5)
  let hasDied = false
  faults.fault = (at, now) => {
    if (!key.test(at) || now !== when) return
    hasDied = true
    first.dying.abort()
    throw new Error('killed')
  }
  await insert(5, 10)
  await waitFor(() => hasDied)
  await first.die()
  faults.fault = () => {}
  await insert(10, 15)
  keepLog(database, { folder, objects })
  const rows = await waitFor(async () => {
    const found = await insertedInto(archive, 'lot')
    return found.length >= 15 && found
  })
  expect(rows.map(({ lot_id }) => Number(lot_id))).toEqual(range(0, 15))
  expect(await archive.barriers()).toEqual([])
})

test('while the store is away the database goes on, and the log catches up when it is back', async () => {
  await forget()
  const folder = newFolder()
  const { faults, objects } = await FaultyStore.of(folder)
  keepLog(database, { folder, objects })
  await waitFor(isBegun)
  const archive = await archiveIn(folder)
  faults.isAway = true
  await insert(0, 50)
  const [log] = await waitFor(async () => {
    const found = await database.query<{ state: string; reason: string }>(
      `select state, reason from catalyst.backup_log where state = 'paused'`,
    )
    return found.length > 0 && found
  })
  expect(log?.reason).toBe('The store is away.')
  await insert(50, 60)
  faults.isAway = false
  const rows = await waitFor(async () => {
    const found = await insertedInto(archive, 'lot')
    return found.length >= 60 && found
  })
  expect(rows.map(({ lot_id }) => Number(lot_id))).toEqual(range(0, 60))
  expect(await archive.barriers()).toEqual([])
})

test('a log that outgrows its budget is dropped: the database goes on, and the gap is told', async () => {
  await forget()
  const folder = newFolder()
  const { faults, objects } = await FaultyStore.of(folder)
  const { broken } = keepLog(database, { folder, objects, budgetMb: 64 })
  await waitFor(isBegun)
  const archive = await archiveIn(folder)
  await insert(0, 1)
  await waitFor(async () => (await insertedInto(archive, 'lot')).length === 1)
  faults.isAway = true
  await insert(1, 2)
  for (let round = 0; round < 10; round++) {
    await database.query(
      `insert into lot select 1000 * $1 + n, repeat(md5(n::text), 240) from generate_series(1, 999) n`,
      [round + 1],
    )
  }
  await waitFor(() => broken.length > 0)
  const slots = await database.query(
    'select from pg_replication_slots where database = current_database()',
  )
  expect(slots).toEqual([])
  faults.isAway = false
  const [barrier] = await waitFor(async () => {
    const found = await archive.barriers()
    return found.length > 0 && found
  })
  expect(barrier).toMatchObject({ kind: 'gap', reason: expect.stringMatching(/wal_budget_mb/) })
  // What is committed before the log begins anew is in the gap.
  await waitFor(async () => {
    const [slot] = await database.query(
      `select from pg_replication_slots where database = current_database() and confirmed_flush_lsn is not null`,
    )
    return slot
  })
  await insert(2, 3)
  await waitFor(async () =>
    (await insertedInto(archive, 'lot')).some(({ lot_id }) => lot_id === '2'),
  )
})

test('a slot that was dropped, or moved on by somebody else, leaves a gap that is told', async () => {
  await forget()
  const folder = newFolder()
  const { objects } = await FaultyStore.of(folder)
  const first = keepLog(database, { folder, objects })
  await waitFor(isBegun)
  const archive = await archiveIn(folder)
  await insert(0, 1)
  await waitFor(async () => (await insertedInto(archive, 'lot')).length === 1)
  await first.die()
  await insert(1, 2)
  await waitFor(async () => {
    const [moved] = await database.query(
      `select pg_replication_slot_advance(slot_name, pg_current_wal_lsn()) from pg_replication_slots
       where database = current_database() and not active`,
    )
    return moved
  })
  const second = keepLog(database, { folder, objects })
  const reasons = async () => (await archive.barriers()).map(({ reason }) => reason)
  await waitFor(async () => (await reasons()).some((reason) => /further than/.test(reason)))
  await insert(2, 3)
  await waitFor(async () => (await insertedInto(archive, 'lot')).length === 2)
  await second.die()
  await waitFor(async () => {
    const [gone] = await database.query(
      `select pg_drop_replication_slot(slot_name) from pg_replication_slots
       where database = current_database() and not active`,
    )
    return gone
  })
  keepLog(database, { folder, objects })
  await waitFor(async () => (await reasons()).some((reason) => /was dropped/.test(reason)))
})
