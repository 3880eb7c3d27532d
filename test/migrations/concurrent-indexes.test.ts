import pg from 'pg'
import { expect, onTestFinished, test } from 'vitest'
import { waitFor } from '../support/wait-for.js'
import { Operator, refusal, run } from './operator.js'

const SETUP = {
  '1000_trade.up':
    'create table trade (id int, venue_id int); insert into trade values (1, 1), (2, 1)',
}
const INDEX = 'create index concurrently trade_venue on trade (venue_id)'

async function prepared(files: Record<string, string>): Promise<Operator> {
  const operator = await Operator.start(SETUP)
  await operator.up()
  await operator.write(files)
  return operator
}

/** A transaction that a concurrent index build has to wait for. */
async function oldTransaction({ database }: Operator): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: database.url })
  client.on('error', () => {})
  await client.connect()
  await client.query('begin isolation level repeatable read; select count(*) from trade')
  onTestFinished(() => client.end())
  return client
}

/** The runner that builds an index and waits for older transactions. */
const builder = (operator: Operator): Promise<number> =>
  waitFor(
    async () => {
      const [row] = await operator.database.query<{ pid: number }>(
        `select pid from pg_stat_activity
         where datname = current_database() and query ilike '%concurrently%'
           and application_name = 'catalyst-db migrations' and wait_event = 'virtualxid'`,
      )
      return row?.pid
    },
    { what: 'a runner that builds an index' },
  )

/** Indexes of the table: name, whether valid, and which one it is. */
const indexes = ({ database }: Operator) =>
  database.query<{ name: string; valid: boolean; oid: number }>(
    `select indexrelid::regclass::text as name, indisvalid as valid, indexrelid::int as oid
     from pg_index where indrelid = 'trade'::regclass order by 1`,
  )

const VALID = [{ name: 'trade_venue', valid: true }]

test('other runners wait beside an index build without a deadlock', async () => {
  const operator = await prepared({ '1001_index.up': INDEX })
  const old = await oldTransaction(operator)
  const runs = Array.from({ length: 4 }, () => operator.another().up(run()))
  await builder(operator)
  await waitFor(() => polling(operator), { what: 'runners that ask for the lock' })
  await old.query('commit')
  const outcomes = await Promise.all(runs)
  const applied = outcomes.flatMap((outcome) => outcome.migrations_applied)
  expect(applied).toMatchObject([{ version: 1001, status: 'applied', locks: null }])
  expect(await indexes(operator)).toMatchObject(VALID)
})

/** Several sessions of runners that do nothing at the moment, as between two questions. */
async function polling({ database }: Operator): Promise<boolean> {
  const rows = await database.query(
    `select 1 from pg_stat_activity
     where datname = current_database() and application_name = 'catalyst-db migrations'
       and query ilike '%pg_try_advisory_lock%'`,
  )
  return rows.length >= 3
}

test('a build whose runner dies is begun again, and no invalid index is left', async () => {
  const operator = await prepared({ '1001_index.up': INDEX, '1002_lot.up': 'create table lot ()' })
  const old = await oldTransaction(operator)
  const dying = refusal(operator.service.up(run()))
  await operator.database.query('select pg_terminate_backend($1)', [await builder(operator)])
  expect(await dying).toMatchObject({
    code: 'unavailable',
    message: 'The connection was lost during 1001_index.up.sql, statement 1 of 1.',
    hint: expect.stringContaining('"catalyst-db migrate up"'),
  })
  await old.query('commit')
  expect(await indexes(operator)).toMatchObject([{ name: 'trade_venue', valid: false }])
  expect((await operator.service.status()).problems).toMatchObject([
    {
      version: 1001,
      problem: 'failed',
      message: 'Migration 1001 (index) failed 0/1: its runner went away during statement 1.',
    },
  ])
  expect(await operator.up()).toEqual([1001, 1002])
  expect(await indexes(operator)).toMatchObject(VALID)
  expect(await operator.log()).toEqual(['up 1000', 'up 1001', 'up 1002'])
})

test('a build that is stopped can be gone on with', async () => {
  const operator = await prepared({ '1001_index.up': `analyze trade; ${INDEX}` })
  const old = await oldTransaction(operator)
  const stop = new AbortController()
  const stopped = refusal(operator.service.up(run({ signal: stop.signal })))
  await builder(operator)
  stop.abort()
  expect(await stopped).toMatchObject({
    code: 'cancelled',
    message: expect.stringContaining('Statements 1 to 1 are done and recorded.'),
  })
  await old.query('commit')
  expect(await operator.up()).toEqual([1001])
  expect(await indexes(operator)).toMatchObject(VALID)
})

test('a build that cannot succeed says why, and succeeds once the rows allow it', async () => {
  const unique = 'create unique index concurrently trade_venue on trade (venue_id)'
  const operator = await prepared({ '1001_index.up': unique })
  const error = await refusal(operator.up())
  expect(error.code).toBe('integrity_violation')
  expect(error.message).toContain(
    'two rows have the same key: table public.trade, constraint trade_venue (SQLSTATE 23505)',
  )
  expect(error.message).not.toContain('(1)')
  await operator.database.query('update trade set venue_id = id')
  expect(await operator.up()).toEqual([1001])
  expect(await indexes(operator)).toMatchObject(VALID)
})

/** As a runner leaves the ledger that dies in or right after the first statement of a file. */
async function interrupt({ database }: Operator, total: number): Promise<void> {
  await database.query(
    `insert into catalyst.schema_migrations
       (version, name, description, up_sha256, duration_ms, app_version, status, statements_total,
        statements_started)
     values (1001, 'x', '', '', 0, 'test', 'failed', $1, 1)`,
    [total],
  )
}

test('an index that was built just before its runner died is not built again', async () => {
  const operator = await prepared({
    '1001_x.up': `${INDEX}; create index concurrently trade_id on trade (id)`,
  })
  await interrupt(operator, 2)
  await operator.database.query(INDEX)
  const [before] = await indexes(operator)
  expect(await operator.up()).toEqual([1001])
  expect(await indexes(operator)).toContainEqual(before)
  expect(await operator.has('trade_id')).toBe(true)
})

test('a dropped index, a rebuilt one and a detached partition are told from the catalog', async () => {
  const operator = await prepared({ '1001_x.up': 'drop index concurrently trade_venue' })
  await interrupt(operator, 1)
  expect(await operator.up()).toEqual([1001])

  const again = await prepared({ '1001_x.up': 'reindex table concurrently trade' })
  await again.database.query(`${INDEX}`)
  await interrupt(again, 1)
  await again.database.query('create index trade_venue_ccnew on trade (venue_id)')
  await again.database.asSuperuser(
    `update pg_index set indisvalid = false where indexrelid = 'trade_venue_ccnew'::regclass`,
  )
  expect(await again.up()).toEqual([1001])
  expect(await indexes(again)).toMatchObject(VALID)

  const parted = await prepared({
    '1001_x.up': 'alter table day detach partition day_1 concurrently',
  })
  await parted.database.query('create table day (id int) partition by list (id)')
  await parted.database.query('create table day_1 partition of day for values in (1)')
  await interrupt(parted, 1)
  await parted.database.asSuperuser(
    `update pg_inherits set inhdetachpending = true where inhrelid = 'day_1'::regclass`,
  )
  expect(await parted.up()).toEqual([1001])
  const attached = `select 1 from pg_inherits where inhparent = 'day'::regclass`
  expect(await parted.database.query(attached)).toEqual([])
})

test('an index without a name is refused before anything runs', async () => {
  const operator = await prepared({
    '1001_index.up': 'analyze trade;\ncreate index concurrently on trade (venue_id)',
  })
  expect(await refusal(operator.up())).toMatchObject({
    code: 'invalid_input',
    message: '1001_index.up.sql, statement 2 (line 2) creates an index without naming it.',
  })
})
