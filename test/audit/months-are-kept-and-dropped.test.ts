import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { waitFor } from '../support/wait-for.js'
import { call, Trail, verify } from './trail.js'

const KEPT = 3

/** One call in each month from the running one on, by servers that come and go. */
async function liveFor(url: string, months: number) {
  const start = new Date()
  const days = Array.from(
    { length: months },
    (_, n) => new Date(Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + n, 15)),
  )
  for (const now of days) {
    const trail = new Trail(url, KEPT)
    trail.now = now
    trail.audit.record(call('a'))
    trail.audit.record(call('b'))
    await trail.stop()
  }
  return days
}

test('each month is a sealed part of the chain; beyond the retention it is dropped, and the rest verifies', async () => {
  const { database, close } = await startApp()
  const days = await liveFor(database.url, 6)
  const before = await verify(database.url)
  expect(before).toMatchObject({ intact: true, entries: 12 })
  expect(before.months.map(({ state, entries }) => `${state} ${entries}`)).toEqual([
    ...Array.from({ length: 5 }, () => 'sealed 2'),
    'open 2',
  ])
  // A server that goes on working looks after the months.
  const trail = new Trail(database.url, KEPT)
  trail.now = days.at(-1) ?? trail.now
  trail.begin()
  const partitions = () =>
    database.query<{ name: string }>(
      `select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
       where i.inhparent = 'catalyst.audit_log'::regclass order by 1`,
    )
  const dropped = () =>
    database.query('select 1 from catalyst.audit_seals where dropped_at is not null')
  await waitFor(async () => (await dropped()).length === 2, { what: 'dropped months' })
  // Of the six, two lie further back than three full months; two are ahead.
  expect(await partitions()).toHaveLength(6)
  await trail.stop()
  const after = await verify(database.url)
  expect(after.months.map(({ state }) => state)).toEqual([
    'dropped',
    'dropped',
    'sealed',
    'sealed',
    'sealed',
    'open',
  ])
  expect(after.intact).toBe(true)
  const told = await database.query<{ outcome: string }>(
    `select outcome from catalyst.audit_log where tool = 'audit' order by audit_id`,
  )
  expect(told.map(({ outcome }) => outcome)).toEqual([
    expect.stringContaining('was dropped: entries 1 to 2,'),
    expect.stringContaining('was dropped: entries 3 to 4,'),
  ])
  await close()
})

test('a month that disappears in any other way, or whose seal is another one, shows', async () => {
  const { database, close } = await startApp()
  const [, second] = await liveFor(database.url, 3)
  const month = second?.toISOString().slice(0, 7).replace('-', '')
  expect((await verify(database.url)).intact).toBe(true)
  await database.query(`update catalyst.audit_seals set hash = repeat('1', 64)
    where first_id = 3`)
  expect(await verify(database.url)).toMatchObject({ intact: false, broken_at: 4 })
  await database.query(`update catalyst.audit_seals s set hash = l.hash
    from catalyst.audit_log l where l.audit_id = s.audit_id`)
  expect((await verify(database.url)).intact).toBe(true)
  await database.query(`drop table catalyst.audit_log_${month}`)
  expect(await verify(database.url)).toMatchObject({ intact: false, broken_at: 3 })
  await database.query('delete from catalyst.audit_seals where first_id = 3')
  expect(await verify(database.url)).toMatchObject({ intact: false, broken_at: 3 })
  await close()
})
