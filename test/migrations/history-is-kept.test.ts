import { expect, test } from 'vitest'
import { BUILT_IN_VERSION, Operator, run } from './operator.js'

test('the history is read newest first, page by page, and cannot be changed', async () => {
  const operator = await Operator.start({
    '1000_venue.up': 'create table venue (id int)',
    '1000_venue.down': 'drop table venue',
  })
  await operator.up()
  await operator.down(BUILT_IN_VERSION)
  await operator.up()
  const first = await operator.service.history({ limit: 2 })
  expect(first.items).toMatchObject([
    { version: 1000, name: 'venue', direction: 'up', applied_by: 'tester' },
    { version: 1000, direction: 'down', checksum: expect.stringMatching(/^[0-9a-f]{64}$/) },
  ])
  expect(first.items[0]?.duration_ms).toBeGreaterThan(0)
  const cursor = JSON.parse(Buffer.from(first.next_cursor ?? '', 'base64url').toString())
  const second = await operator.service.history({ limit: 2, cursor })
  expect(second.items).toMatchObject([
    { version: 1000, direction: 'up' },
    { version: BUILT_IN_VERSION, direction: 'up', applied_by: 'server start' },
  ])
  for (const text of ["update %s set name = 'x'", 'delete from %s', 'truncate %s']) {
    const statement = text.replace('%s', 'catalyst.schema_migration_log')
    await expect(operator.database.query(statement)).rejects.toThrow('append-only')
  }
})

test('each migration is told to all who listen, together with what it changed', async () => {
  const operator = await Operator.start({
    '1000_desk.up': `create table desk (id int); create index on desk (id);
      insert into desk values (1); create type public.side as enum ('buy', 'sell');
      create function doubled(i int) returns int language sql as 'select i * 2';
      comment on table desk is 'x'; drop view if exists old_one`,
    '1000_desk.down': 'drop table desk; drop type side',
    '1001_single.up': '-- transaction: none\ncreate index concurrently lot on desk (id)',
    '1002_rows.up': 'insert into desk values (2)',
  })
  await operator.up()
  const events = await operator.database.query<{ type: string; data: Record<string, unknown> }>(
    `select type, data from catalyst.event_outbox
     where (data ->> 'version')::int >= 1000 order by outbox_id`,
  )
  const applied = (version: number, name: string, direction = 'up') => ({
    type: 'migration.applied',
    data: { version, name, direction, by: 'tester', duration_ms: expect.any(Number) },
  })
  const changed = (version: number, objects: string[]) => ({
    type: 'db.schema.changed',
    data: { version, objects },
  })
  expect(events).toMatchObject([
    applied(1000, 'desk'),
    changed(1000, ['desk', 'public.side', 'doubled', 'old_one']),
    applied(1001, 'single'),
    changed(1001, ['desk']),
    applied(1002, 'rows'),
  ])
  expect(new Set(events.slice(0, 2).map(({ data }) => data.transaction_id)).size).toBe(1)
})

test('an empty database gets everything from one run, and progress tells of every statement', async () => {
  const operator = await Operator.start(
    { '1000_two.up': 'create table a (id int); create table b (id int)' },
    { empty: true },
  )
  expect(await operator.service.status()).toMatchObject({ current_version: 0, problems: [] })
  const told: [number, number, string][] = []
  const progress = (done: number, total: number, message: string) => {
    told.push([done, total, message])
  }
  await operator.service.up(run({ progress }))
  const total = told.length
  expect(told.map(([done]) => done)).toEqual(Array.from({ length: total }, (_, i) => i + 1))
  expect(told.at(-1)).toEqual([total, total, '1000_two.up.sql: statement 2 of 2'])
  expect(await operator.service.status()).toMatchObject({ current_version: 1000, problems: [] })
})
