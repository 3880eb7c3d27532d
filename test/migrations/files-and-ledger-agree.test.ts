import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { BUILT_IN_VERSION, Operator, refusal, run } from './operator.js'

const CLI = { by: 'cli', requestId: null }

/** The problem that the status tells and that a run refuses with. */
async function problemOf(operator: Operator) {
  const { problems } = await operator.service.status()
  const error = await refusal(operator.service.up(run()))
  expect(error).toMatchObject({ code: 'precondition_failed', hint: problems[0]?.next_step })
  expect(error.message).toContain(problems[0]?.message)
  return problems[0]
}

const applied = async (): Promise<Operator> => {
  const operator = await Operator.start({
    '1000_venue.up': 'create table venue (id int)',
    '1002_desk.up': 'create table desk (id int)',
  })
  await operator.up()
  return operator
}

test('an edited file is refused with both checksums; other line ends are no edit; repair accepts it', async () => {
  const operator = await applied()
  await operator.write({ '1000_venue.up': 'create table venue (id int)\r\n' })
  const problem = await problemOf(operator)
  expect(problem).toMatchObject({ version: 1000, name: 'venue', problem: 'checksum_mismatch' })
  expect(problem?.message).toMatch(
    /edited after it was applied \(SHA-256 [0-9a-f]{12} then, [0-9a-f]{12} now\)/,
  )
  const plan = await operator.service.planRepair()
  expect(plan.changes).toMatchObject([
    {
      version: 1000,
      problem: 'checksum_mismatch',
      change: expect.stringMatching(/^row 1000: up_sha256 [0-9a-f]{64} -> /),
    },
  ])
  await operator.write({ '1000_venue.up': 'create table venue (id bigint)' })
  expect(await refusal(operator.repair(CLI, plan.digest))).toMatchObject({
    code: 'conflict',
  })
  await operator.repair(CLI, null)
  expect((await operator.service.status()).problems).toEqual([])
  await operator.write({ '1000_venue.up': 'create table venue (id bigint)' })
  expect((await operator.service.planRepair()).changes).toEqual([])
  expect(await operator.log()).toEqual(['up 1000', 'up 1002', 'repair 1000'])
})

test('a missing file is refused; repair takes the row out of the ledger, not out of the log', async () => {
  const operator = await applied()
  await operator.remove('1002_desk.up')
  expect(await problemOf(operator)).toMatchObject({
    version: 1002,
    problem: 'missing_file',
    message: 'Migration 1002 (desk) was applied, but its file is missing.',
    next_step: expect.stringContaining('Restore the file'),
  })
  await operator.repair(CLI, null)
  expect(await operator.applied()).toEqual([1000])
  expect(await operator.has('desk')).toBe(true)
  expect(await operator.log()).toEqual(['up 1000', 'up 1002', 'repair 1002'])
})

test('a file below what is applied is refused, unless it says that the order does not matter', async () => {
  const operator = await applied()
  await operator.write({ '1001_lot.up': 'create table lot (id int)' })
  expect(await problemOf(operator)).toMatchObject({
    version: 1001,
    problem: 'out_of_order',
    message: 'Migration 1001 (lot) is not applied, but 1002 is.',
    next_step: expect.stringContaining('"-- out-of-order: ok"'),
  })
  await operator.write({ '1001_lot.up': '-- out-of-order: ok\ncreate table lot (id int)' })
  expect(await operator.up()).toEqual([1001])
})

test('two files of one version, and a down script alone, are refused', async () => {
  const operator = await applied()
  await operator.write({ '1002_again.up': 'select 1' })
  expect(await problemOf(operator)).toMatchObject({
    version: 1002,
    problem: 'unusable_file',
    message: 'Two migrations have version 1002.',
  })
  await operator.remove('1002_again.up')
  await operator.write({ '1003_half.down': 'select 1' })
  expect(await problemOf(operator)).toMatchObject({
    version: 1003,
    message: '1003_half.down.sql has no .up.sql beside it.',
  })
})

test.each([
  ['1003_Bad Name.up', null, 'not named like one'],
  ['notes', null, 'not named like one'],
  ['12345678901_long.up', null, 'not named like one'],
  ['99_low.up', 99, 'outside of 1000 to 2147483647'],
  ['2147483648_high.up', 2147483648, 'outside of 1000 to 2147483647'],
  ['0_zero.up', 0, 'outside of 1000'],
  ['line\nbreak\u001b[31m', null, '"line\\nbreak\\u001b[31m.sql" looks like a migration'],
])('a file that cannot be a migration is named: %j', async (name, version, message) => {
  const operator = await Operator.start({ [name]: 'select 1' })
  expect(await problemOf(operator)).toMatchObject({
    version,
    problem: 'unusable_file',
    message: expect.stringContaining(message),
  })
})

test.each([
  ['-- transaction: never', '"-- transaction:" must be none'],
  ['-- lock_timeout: soon', '"-- lock_timeout:" must be a duration up to 24h'],
  ['-- statement_timeout: 25h', '"-- statement_timeout:" must be a duration up to 24h'],
  ['-- allow: drop-table', '"-- allow:" must be a rule and a reason'],
  ['-- irreversible:', '"-- irreversible:" must be the reason'],
  ['-- lock_timout: 3s', '"-- lock_timout:" must be one of description, transaction'],
])('a header that cannot be read is refused: %s', async (header, message) => {
  const operator = await Operator.start({ '1000_odd.up': `${header}\nselect 1` })
  expect((await problemOf(operator))?.message).toContain(message)
})

test('a header ends with the first other line, and its limits hold for the file', async () => {
  const operator = await Operator.start({
    '1000_limits.up': `-- description: Limits.
-- lock_timeout: 2s
-- statement_timeout: 1min

-- note: this is a comment
create table limits as
select current_setting('lock_timeout') as l, current_setting('statement_timeout') as s`,
    '1001_defaults.up': `create table defaults as
select current_setting('lock_timeout') as l, current_setting('statement_timeout') as s`,
  })
  await operator.up()
  expect(await operator.database.query('select * from limits')).toEqual([{ l: '2s', s: '1min' }])
  expect(await operator.database.query('select * from defaults')).toEqual([{ l: '3s', s: '5min' }])
})

test('a folder that does not exist is empty; what is no file is named; other files are none', async () => {
  const operator = await Operator.start({})
  await mkdir(join(operator.directory, '1000_folder.up.sql'))
  expect((await operator.service.status()).problems).toMatchObject([{ problem: 'unusable_file' }])
  const elsewhere = operator.another(join(operator.directory, 'nowhere'))
  expect(await elsewhere.status()).toMatchObject({ pending_migrations: [], problems: [] })
})

test('targets are versions that exist', async () => {
  const operator = await applied()
  await operator.write({ '1003_a.up': 'select 1', '1005_b.up': 'select 1' })
  expect(await refusal(operator.planUp(1004))).toMatchObject({
    code: 'invalid_input',
    message: 'No migration has version 1004.',
    hint: expect.stringContaining('1005'),
  })
  expect(await operator.up({ target: 1002 })).toEqual([])
  expect(await operator.up({ target: 1003 })).toEqual([1003])
  expect(await operator.service.status()).toMatchObject({
    current_version: 1003,
    pending_migrations: [{ version: 1005, name: 'b' }],
  })
})

test('a baseline records files without running them, up to one that exists', async () => {
  const operator = await Operator.start({
    '1000_venue.up': 'create table venue (id int)',
    '1001_desk.up': 'create table desk (id int)',
    '1002_lot.up': 'create table lot (id int)',
  })
  for (const version of [BUILT_IN_VERSION, 999, 1003]) {
    expect(await refusal(operator.service.baseline(version, CLI))).toMatchObject({
      code: 'invalid_input',
    })
  }
  expect(await operator.service.baseline(1001, CLI)).toEqual({ recorded: [1000, 1001] })
  expect(await operator.has('venue')).toBe(false)
  expect(await operator.up()).toEqual([1002])
  expect(await operator.log()).toEqual(['baseline 1000', 'baseline 1001', 'up 1002'])
})
