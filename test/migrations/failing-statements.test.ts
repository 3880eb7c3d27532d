import { expect, test } from 'vitest'
import { BUILT_IN_VERSION, Operator, refusal } from './operator.js'

const FIVE = `-- description: Five statements.

create table venue (id int);
create table desk (id int);

insert into missing
values (1);
create table book (id int);
create table lot (id int);
`
const MENDED = FIVE.replace('missing', 'venue')
/** Statements that need no transaction; the third one fails. */
const SINGLE = `-- description: Five statements.
-- transaction: none

create index concurrently venue_id on venue (id);
create index concurrently desk_id on desk (id);

create index concurrently
  lot_id on missing (id);
analyze venue;
vacuum venue;
`
const TABLES = { '1000_tables.up': 'create table venue (id int); create table desk (id int)' }

test('of a file that fails nothing is kept, the files before it stay, and the run goes on once it is mended', async () => {
  const operator = await Operator.start({
    '1000_first.up': 'create table first (id int)',
    '1001_five.up': FIVE,
    '1002_last.up': 'create table last (id int)',
  })
  const error = await refusal(operator.up())
  expect(error).toMatchObject({
    code: 'precondition_failed',
    message:
      '1001_five.up.sql, statement 3 of 5 (line 6, column 13, at missing) failed: there is no such table or view (SQLSTATE 42P01). Nothing of the file was kept. Applied before it: 1000.',
    hint: expect.stringMatching(/^Correct 1001_five.up.sql, then run "catalyst-db migrate up"\./),
  })
  expect(await operator.applied()).toEqual([1000])
  expect(await operator.has('venue')).toBe(false)
  expect((await operator.service.status()).problems).toEqual([])
  await operator.write({ '1001_five.up': MENDED })
  expect(await operator.up()).toEqual([1001, 1002])
})

test('a file of single statements keeps what was done, says so, and goes on behind it', async () => {
  const operator = await Operator.start({ ...TABLES, '1001_five.up': SINGLE })
  const error = await refusal(operator.up())
  expect(error.message).toContain('statement 3 of 5 (line 7) failed')
  expect(error.message).toContain('Statements 1 to 2 are done and recorded.')
  expect(await operator.has('desk_id')).toBe(true)
  const { current_version, problems, pending_migrations } = await operator.service.status()
  expect(current_version).toBe(1000)
  expect(pending_migrations).toMatchObject([{ version: 1001, description: 'Five statements.' }])
  expect(problems).toMatchObject([
    {
      version: 1001,
      problem: 'failed',
      message: expect.stringMatching(/^Migration 1001 \(five\) failed 2\/5: .*42P01/),
      next_step: expect.stringContaining('"catalyst-db migrate up"'),
    },
  ])
  await operator.write({ '1001_five.up': SINGLE.replace('missing', 'venue') })
  expect((await operator.planUp(null)).migrations).toMatchObject([
    { transactional: false, statements: 5, statements_done: 2 },
  ])
  expect(await operator.up()).toEqual([1001])
  expect(await operator.has('lot_id')).toBe(true)
  expect(await operator.log()).toEqual(['up 1000', 'up 1001'])
  expect((await operator.service.status()).problems).toEqual([])
})

test('the part that ran must stay as it was', async () => {
  const operator = await Operator.start({ ...TABLES, '1001_five.up': SINGLE })
  await refusal(operator.up())
  await operator.write({ '1001_five.up': SINGLE.replace('on desk (id)', 'on desk (id desc)') })
  expect(await refusal(operator.up())).toMatchObject({
    code: 'precondition_failed',
    message:
      'Statements 1 to 2 of 1001_five.up.sql ran already, and the file was edited there since.',
    hint: expect.stringContaining('Restore that part'),
  })
})

test.each([
  'delete from venue',
  'select 1',
  'do $$ begin commit; end $$',
  'create table lot (id int)',
  'alter table venue validate constraint x, drop constraint y',
  `alter type mood rename value 'a' to 'b'`,
])('what needs a transaction is refused in a file without one: %s', async (text) => {
  const operator = await Operator.start({ '1000_bare.up': `-- transaction: none\n${text}` })
  expect(await refusal(operator.up())).toMatchObject({
    code: 'invalid_input',
    message: '1000_bare.up.sql, statement 1 (line 2) needs a transaction, which this file has not.',
  })
})

test.each([
  'begin; create table a (id int); commit',
  'create table a (id int); commit; create table b (id int)',
  'create table a (id int);\nsavepoint s',
  'create table a (id int); rollback',
  "-- transaction: none\nanalyze;\nprepare transaction 'x'",
])('a file with transactions of its own is refused before anything runs: %j', async (text) => {
  const operator = await Operator.start({
    '1000_fine.up': 'create table fine (id int)',
    '1001_own.up': text,
  })
  expect(await refusal(operator.up())).toMatchObject({
    code: 'invalid_input',
    message: expect.stringMatching(/^1001_own\.up\.sql, statement \d \(line \d\) begins or ends/),
    hint: expect.stringContaining('Remove it'),
  })
  expect(await operator.has('fine')).toBe(false)
})

test.each([
  ['select 1\0; drop table catalyst.events', 'NUL'],
  ['create tabel a (id int)', 'line 1, column 8'],
  ['select 1;\nselect (', 'line 2'],
])('a script that cannot be read is refused with the place: %j', async (text, place) => {
  const operator = await Operator.start({ '1000_unread.up': text })
  const error = await refusal(operator.planUp(null))
  expect(error).toMatchObject({ code: 'invalid_input' })
  expect(error.message).toMatch(/^1000_unread\.up\.sql cannot be read\. /)
  expect(error.message).toContain(place)
})

test('a down script that fails leaves the migration applied; corrected and repaired, it is undone', async () => {
  const operator = await Operator.start({
    '1000_venue.up': 'create table venue (id int)',
    '1000_venue.down': 'drop table venue; drop table nowhere',
  })
  await operator.up()
  const error = await refusal(operator.down(BUILT_IN_VERSION))
  expect(error.message).toContain('1000_venue.down.sql, statement 2 of 2 (line 1) failed')
  expect(error.hint).toContain('migrate repair')
  expect(error.hint).toContain(`"catalyst-db migrate down --target ${BUILT_IN_VERSION}"`)
  expect(await operator.applied()).toEqual([1000])
  expect(await operator.has('venue')).toBe(true)
  await operator.write({ '1000_venue.down': 'drop table venue' })
  const plan = await operator.service.planRepair()
  expect(plan.changes).toMatchObject([
    {
      version: 1000,
      change: expect.stringMatching(/^row 1000: down_sha256 [0-9a-f]{64} -> [0-9a-f]{64}$/),
    },
  ])
  await operator.repair({ by: 'cli', requestId: null }, plan.digest)
  expect(await operator.down(BUILT_IN_VERSION)).toEqual([1000])
  expect(await operator.has('venue')).toBe(false)
  expect(await operator.log()).toEqual(['up 1000', 'repair 1000', 'down 1000'])
})

test('a down script of single statements that fails is half done, and says how far', async () => {
  const down =
    '-- transaction: none\ndrop index concurrently venue_id;\ndrop index concurrently nowhere;'
  const operator = await Operator.start({
    '1000_venue.up': 'create table venue (id int); create index venue_id on venue (id)',
    '1000_venue.down': down,
  })
  await operator.up()
  await refusal(operator.down(BUILT_IN_VERSION))
  expect(await operator.has('venue_id')).toBe(false)
  expect(await operator.applied()).toEqual([])
  const { problems } = await operator.service.status()
  expect(problems).toMatchObject([
    {
      problem: 'failed',
      message: expect.stringMatching(/^Migration 1000 \(venue\) is rolled back 1\/2: .*42704/),
      next_step: expect.stringContaining(`"catalyst-db migrate down --target ${BUILT_IN_VERSION}"`),
    },
  ])
  expect(await refusal(operator.up())).toMatchObject({ code: 'precondition_failed' })
  await operator.write({
    '1000_venue.down': down.replace('drop index concurrently nowhere', 'analyze venue'),
  })
  await operator.repair({ by: 'cli', requestId: null }, null)
  expect(await operator.down(BUILT_IN_VERSION)).toEqual([1000])
  expect(await operator.log()).toEqual(['up 1000', 'repair 1000', 'down 1000'])
})

test.each([
  ['search_path', 'nowhere'],
  ['standard_conforming_strings', 'off'],
  ['statement_timeout', '0'],
  ['role', 'pg_monitor'],
])('a script that changes the setting %s ends, however it does so', async (name, value) => {
  const operator = await Operator.start({
    '1000_settings.up': `create table before_it (id int);
      do $$ begin perform set_config('${name}', '${value}', true); end $$;
      create table after_it (id int)`,
  })
  expect(await refusal(operator.up())).toMatchObject({
    code: 'precondition_failed',
    message: `1000_settings.up.sql, statement 2 (line 2) changed the setting ${name}.`,
  })
  expect(await operator.has('before_it')).toBe(false)
  await operator.write({ '1000_settings.up': `set "${name.toUpperCase()}" = '${value}'` })
  expect(await refusal(operator.up())).toMatchObject({
    code: 'precondition_failed',
    message: expect.stringContaining('(session-setting)'),
  })
})
