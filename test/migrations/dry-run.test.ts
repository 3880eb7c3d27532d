import pg from 'pg'
import { expect, test } from 'vitest'
import { waitFor } from '../support/wait-for.js'
import { catalogOf } from './catalog.js'
import { Operator, refusal, run } from './operator.js'

const SETUP = {
  '1000_setup.up': `create table venue (id int primary key, name varchar(20));
    create table trade (id int primary key, venue_id int, price numeric(12, 2));
    create view dear as select id from trade where price > 100;
    insert into trade values (1, 1, 50)`,
}

test('it tells locks, rewrites and durations, and leaves the catalog as it was', async () => {
  const operator = await Operator.start(SETUP)
  await operator.up()
  await operator.write({
    '1001_grow.up': `alter table venue alter column name type varchar(40);
      alter table trade alter column price type text;
      create table lot (id int)`,
    '1002_index.up': 'create index on trade (venue_id); update trade set venue_id = 2',
  })
  await operator.write({
    '1001_grow.up': (await operator.read('1001_grow.up')).replace('price', 'venue_id'),
  })
  const before = await catalogOf(operator.database, 'public')
  const outcome = await operator.service.dryRun(run())
  expect(outcome).toMatchObject({
    new_version: 1002,
    note: expect.stringContaining('rolled back'),
    migrations_applied: [
      {
        version: 1001,
        status: 'dry_run',
        statements: 3,
        rewrites: [{ relation: 'public.trade', statement: 2 }],
        locks: expect.arrayContaining([
          { relation: 'public.venue', mode: 'AccessExclusiveLock', statement: 1 },
          { relation: 'public.trade', mode: 'AccessExclusiveLock', statement: 2 },
        ]),
      },
      {
        version: 1002,
        status: 'dry_run',
        locks: expect.arrayContaining([
          { relation: 'public.trade', mode: 'ShareLock', statement: 1 },
          { relation: 'public.trade', mode: 'RowExclusiveLock', statement: 2 },
        ]),
      },
    ],
  })
  // What the first file holds, and what it made, are not the second one's.
  const touched = outcome.migrations_applied[1]?.locks?.map(({ relation }) => relation)
  expect(touched).not.toContain('public.venue')
  expect(touched).not.toContain('public.lot')
  for (const { statement_ms, statements } of outcome.migrations_applied) {
    expect(statement_ms).toHaveLength(statements)
    expect(Math.min(...statement_ms)).toBeGreaterThan(0)
  }
  expect(await catalogOf(operator.database, 'public')).toBe(before)
  expect(await operator.applied()).toEqual([1000])
})

test('the locks it tells are those that others see', async () => {
  const operator = await Operator.start(SETUP)
  await operator.up()
  // The last statement waits, so that somebody else can look meanwhile.
  await operator.write({
    '1001_all.up': `alter table venue add column city text;
      create index trade_venue on trade (venue_id);
      alter table trade add constraint venue_known
        foreign key (venue_id) references venue (id) not valid;
      comment on view dear is 'above 100';
      select pg_advisory_xact_lock(4711)`,
  })
  const holder = new pg.Client({ connectionString: operator.database.url })
  await holder.connect()
  await holder.query('select pg_advisory_lock(4711)')
  const dryRun = operator.service.dryRun(run())
  const seen = await waitFor(() => locksOfWaiting(holder), { what: 'a dry run that waits' })
  await holder.query('select pg_advisory_unlock(4711)')
  const { migrations_applied } = await dryRun
  await holder.end()
  const told = (migrations_applied[0]?.locks ?? []).map(
    ({ relation, mode }) => `${relation} ${mode}`,
  )
  expect(told.sort()).toEqual(seen.sort())
  expect(told.length).toBeGreaterThan(5)
})

/** The locks on known relations of the session that waits for 4711; null while there is none. */
async function locksOfWaiting(client: pg.Client): Promise<string[] | null> {
  const { rows } = await client.query<{ lock: string }>(
    `select format('%s.%s %s', n.nspname, c.relname, held.mode) as lock
     from pg_locks as waiting
     join pg_locks as held using (pid)
     join pg_class as c on c.oid = held.relation
     join pg_namespace as n on n.oid = c.relnamespace
     where waiting.locktype = 'advisory' and not waiting.granted and waiting.objid = 4711
       and held.locktype = 'relation' and n.nspname = 'public'`,
  )
  return rows.length > 0 ? rows.map(({ lock }) => lock) : null
}

test('what cannot be undone is planned, with all that comes after it', async () => {
  const operator = await Operator.start({
    ...SETUP,
    '1001_index.up': 'create index concurrently trade_venue on trade (venue_id)',
    '1002_after.up': 'create table lot (id int)',
  })
  const { migrations_applied, new_version } = await operator.service.dryRun(run())
  expect(migrations_applied).toMatchObject([
    { version: 1000, status: 'dry_run', reason: null },
    {
      version: 1001,
      status: 'planned',
      reason: expect.stringContaining('inside a transaction'),
      locks: null,
    },
    { version: 1002, status: 'planned', reason: expect.stringContaining('1001_index.up.sql') },
  ])
  expect(new_version).toBe(1002)
  expect(await operator.has('trade')).toBe(false)
})

test('it names the session it would have waited for, and what a commit would have refused', async () => {
  const operator = await Operator.start(SETUP)
  await operator.up()
  await operator.write({ '1001_city.up': 'alter table venue add column city text' })
  const holder = new pg.Client({
    connectionString: operator.database.url,
    application_name: 'desk',
  })
  await holder.connect()
  await holder.query('begin; lock table venue in access share mode')
  const { rows } = await holder.query<{ pid: number }>('select pg_backend_pid() as pid')
  const error = await refusal(operator.service.dryRun(run()))
  await holder.end()
  expect(error).toMatchObject({ code: 'conflict', retryable: true })
  expect(error.message).toContain(
    `It waited for backend ${rows[0]?.pid} ("desk", in a transaction for`,
  )
  await operator.write({
    '1001_city.up': `alter table trade add constraint known foreign key (venue_id)
        references venue (id) deferrable initially deferred not valid;
      insert into trade values (2, 99, 1)`,
  })
  expect(await refusal(operator.service.dryRun(run()))).toMatchObject({
    code: 'integrity_violation',
    message: expect.stringContaining('Nothing was kept: it was a dry run.'),
  })
})
