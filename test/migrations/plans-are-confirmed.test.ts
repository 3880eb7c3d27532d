import { expect, test } from 'vitest'
import { BUILT_IN_VERSION, Operator, refusal, run } from './operator.js'

test('what loses data runs only as it was confirmed', async () => {
  const operator = await Operator.start({
    '1000_venue.up': 'create table venue (id int); insert into venue values (1), (2)',
  })
  await operator.service.up(run())
  await operator.write({ '1001_drop.up': 'drop table venue' })
  expect(await operator.planUp(null)).toMatchObject({ destructive: false, losses: [] })
  expect(await refusal(operator.service.up(run()))).toMatchObject({
    code: 'confirmation_required',
    message: 'It was rolled back: table public.venue is dropped, with 2 rows.',
  })
  const plan = await operator.planUp(null)
  expect(plan).toMatchObject({
    destructive: true,
    new_version: 1001,
    losses: [
      { version: 1001, losses: [{ what: 'dropped', object: 'table public.venue', rows: 2 }] },
    ],
  })
  expect(await refusal(operator.service.up(run()))).toMatchObject({ code: 'confirmation_required' })
  await operator.write({ '1001_drop.up': 'drop table if exists venue' })
  const changed = operator.service.up(run({ confirmedPlan: plan.digest }))
  expect(await refusal(changed)).toMatchObject({
    code: 'conflict',
    message: 'What would run changed since it was confirmed; nothing ran.',
  })
  await operator.write({ '1001_drop.up': 'drop table venue', '1002_more.up': 'select 1' })
  const grown = operator.service.up(run({ confirmedPlan: plan.digest }))
  expect(await refusal(grown)).toMatchObject({ code: 'conflict' })
  expect(await operator.has('venue')).toBe(true)
  await operator.remove('1002_more.up')
  await operator.service.up(run({ confirmedPlan: plan.digest }))
  expect(await operator.has('venue')).toBe(false)
})

test('when more is lost than was confirmed it is rolled back and asked again', async () => {
  const operator = await Operator.start({
    '1000_venue.up': 'create table venue (id int); insert into venue values (1), (2)',
  })
  await operator.up()
  await operator.write({ '1001_less.up': 'delete from venue where id > 1' })
  await refusal(operator.service.up(run()))
  const first = await operator.planUp(null)
  await operator.database.query('insert into venue values (3)')
  expect(await refusal(operator.service.up(run({ confirmedPlan: first.digest })))).toMatchObject({
    code: 'confirmation_required',
    message: 'It was rolled back: 2 rows of public.venue are deleted.',
  })
  const second = await operator.planUp(null)
  await operator.database.query('delete from venue where id = 3')
  await operator.service.up(run({ confirmedPlan: second.digest }))
  expect(await operator.database.query('select id from venue')).toEqual([{ id: 1 }])
})

test('a table that was confirmed to be dropped is counted again', async () => {
  const operator = await Operator.start({ '1000_venue.up': 'create table venue (id int)' })
  await operator.up()
  await operator.write({ '1001_drop.up': 'drop table venue' })
  await refusal(operator.service.up(run()))
  const { digest } = await operator.planUp(null)
  await operator.database.query('insert into venue values (1)')
  expect(await refusal(operator.service.up(run({ confirmedPlan: digest })))).toMatchObject({
    message: 'It was rolled back: table public.venue is dropped, with 1 row.',
  })
  expect(await operator.has('venue')).toBe(true)
})

test('a rollback is always confirmed, and only the scripts that were confirmed run', async () => {
  const operator = await Operator.start({
    '1000_venue.up': 'create table venue (id int)',
    '1000_venue.down': 'drop table venue',
  })
  await operator.up()
  const options = { ...run(), target: BUILT_IN_VERSION, includeBuiltIn: false }
  expect(await refusal(operator.service.rollback(options))).toMatchObject({
    code: 'confirmation_required',
  })
  const { digest, rollbacks } = await operator.planDown(BUILT_IN_VERSION, false)
  expect(rollbacks).toMatchObject([{ version: 1000, statements: 1, transactional: true }])
  await operator.write({
    '1001_desk.up': 'create table desk (id int)',
    '1001_desk.down': 'drop table desk',
  })
  await operator.up()
  const grown = operator.service.rollback({
    ...options,
    ...run({ confirmedPlan: digest }),
    target: BUILT_IN_VERSION,
  })
  expect(await refusal(grown)).toMatchObject({ code: 'conflict' })
  expect(await operator.down(BUILT_IN_VERSION)).toEqual([1001, 1000])
})

test('what has no way back is refused before anything is undone', async () => {
  const operator = await Operator.start({
    '1000_venue.up': 'create table venue (id int)',
    '1001_desk.up': '-- irreversible: it sends mails\ncreate table desk (id int)',
    '1001_desk.down': 'drop table desk',
    '1002_lot.up': 'create table lot (id int)',
    '1002_lot.down': 'drop table lot',
  })
  await operator.up()
  expect(await operator.down(1001)).toEqual([1002])
  expect(await refusal(operator.planDown(BUILT_IN_VERSION, false))).toMatchObject({
    code: 'precondition_failed',
    message: 'Migration 1001 (desk) has no down script.',
  })
  expect(await refusal(operator.planDown(BUILT_IN_VERSION - 1, false))).toMatchObject({
    code: 'precondition_failed',
  })
  expect(await refusal(operator.planDown(999, false))).toMatchObject({
    code: 'invalid_input',
    hint: expect.stringContaining(`such as ${BUILT_IN_VERSION}`),
  })
  expect(await operator.down(1001)).toEqual([])
  expect(await operator.has('desk')).toBe(true)
})

test('the down script that was stored runs, whatever became of the file', async () => {
  const operator = await Operator.start({
    '1000_venue.up': 'create table venue (id int)',
    '1000_venue.down': 'drop table venue',
  })
  await operator.up()
  await operator.remove('1000_venue.up')
  await operator.remove('1000_venue.down')
  expect(await operator.down(BUILT_IN_VERSION)).toEqual([1000])
  expect(await operator.has('venue')).toBe(false)
})

test('built-in migrations are undone only where that is asked for', async () => {
  const operator = await Operator.start()
  expect(await refusal(operator.planDown(BUILT_IN_VERSION - 1, false))).toMatchObject({
    code: 'precondition_failed',
    message: expect.stringContaining('part of catalyst-db'),
  })
  expect(await operator.down(BUILT_IN_VERSION - 1, true)).toEqual([BUILT_IN_VERSION])
  expect(await operator.up()).toEqual([BUILT_IN_VERSION])
})
