import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { locksOf, strongest } from '../../src/platform/sql-parser/locks.js'
import { parseScript } from '../../src/platform/sql-parser/parse-script.js'
import { createDatabase, type TestDatabase } from '../support/database.js'

const SCHEMA = `
  create schema app;
  create table app.u (id bigint primary key);
  create table app.t (id bigint primary key, a bigint, b text, constraint c check (a > 0) not valid);
  create index i on app.t (a);
  create unique index k on app.t (b);
  create function app.f() returns trigger language plpgsql as 'begin return new; end';
  create trigger g before insert on app.t for each row execute function app.f();
  create policy p on app.t using (true);
  create view app.v as select 1 as one;
  create materialized view app.m as select 1 as one;
  create unique index m_one on app.m (one);
  create sequence app.s;
  create table app.parts (at date) partition by range (at);
  create table app.part_1 partition of app.parts for values from ('2026-01-01') to ('2026-02-01');
  create table app.free (at date);
`

/** Statements whose locks rules claim; each runs in a transaction that is rolled back. */
const STATEMENTS = [
  'alter table app.t add column d text',
  'alter table app.t drop column b',
  'alter table app.t alter column a type numeric',
  'alter table app.t alter column a set not null',
  'alter table app.t alter column a set default 1',
  'alter table app.t alter column a set statistics 10',
  'alter table app.t alter column a set (n_distinct = 5)',
  'alter table app.t set (fillfactor = 50)',
  'alter table app.t set unlogged',
  'alter table app.t add constraint d check (a > 1)',
  'alter table app.t add constraint d check (a > 1) not valid',
  'alter table app.t validate constraint c',
  'alter table app.t drop constraint c',
  'alter table app.t add unique (a)',
  'alter table app.t add constraint d unique using index k',
  'alter table app.t add constraint d foreign key (a) references app.u (id)',
  'alter table app.t add constraint d foreign key (a) references app.u (id) not valid',
  'alter table app.t add column d bigint references app.u (id)',
  'alter table app.t add constraint d exclude (a with =)',
  'alter table app.t disable trigger g',
  'alter table app.t enable always trigger g',
  'alter table app.t enable row level security',
  'alter table app.t cluster on i',
  'alter table app.t rename to w',
  'alter table app.t rename column a to z',
  'alter table app.t set schema public',
  'alter index app.i rename to j',
  'create index on app.t (b)',
  'reindex table app.t',
  'drop index app.i',
  'drop table app.t',
  'drop view app.v',
  'drop materialized view app.m',
  'drop sequence app.s',
  'drop trigger g on app.t',
  'drop policy p on app.t',
  'truncate app.t',
  'cluster app.t using i',
  'lock table app.t',
  'lock table app.t in share row exclusive mode',
  'analyze app.t',
  'create trigger h after insert on app.t for each row execute function app.f()',
  'create policy q on app.t using (true)',
  'create rule r as on insert to app.t do also select 1',
  'refresh materialized view app.m',
  'refresh materialized view concurrently app.m',
  'create table app.x (id bigint references app.u (id))',
  "create table app.x partition of app.parts for values from ('2026-02-01') to ('2026-03-01')",
  "alter table app.parts attach partition app.free for values from ('2026-03-01') to ('2026-04-01')",
  'alter table app.parts detach partition app.part_1',
  'insert into app.t (id) values (1)',
  'update app.t set a = 2 where id = 1',
  'with d as (delete from app.t where id = 1 returning id) select id from d',
]

let database: TestDatabase
let client: pg.Client
beforeAll(async () => {
  database = await createDatabase({ empty: true })
  client = new pg.Client({ connectionString: database.url })
  await client.connect()
  await client.query(SCHEMA)
})
afterAll(async () => {
  await client.end()
  await database.drop()
})

test.each(STATEMENTS)('%s', async (sql) => {
  const claimed = await claims(sql)
  expect(claimed).not.toEqual({})
  expect(await taken(sql, Object.keys(claimed))).toEqual(claimed)
})

/** The strongest mode that our rules claim for each relation. */
async function claims(sql: string): Promise<Record<string, string | null>> {
  const [statement] = await parseScript(sql)
  const locks = statement ? locksOf(statement) : []
  const names = locks.map(({ relation }) => `${relation.schemaname}.${relation.relname}`)
  const modes = (name: string) => locks.filter((_, at) => names[at] === name)
  return Object.fromEntries(
    names.map((name) => [name, strongest(modes(name).map(({ mode }) => mode))]),
  )
}

/** The strongest mode that the statement takes on each of the relations, before it is rolled back. */
async function taken(
  sql: string,
  relations: readonly string[],
): Promise<Record<string, string | null>> {
  const { rows } = await client.query<{ name: string; oid: number }>(
    'select name, name::regclass::oid::int as oid from unnest($1::text[]) as name',
    [relations],
  )
  await client.query('begin')
  try {
    await client.query(sql)
    const held = await client.query<{ oid: number; mode: string }>(`
      select relation::int as oid, mode
      from pg_locks
      where pid = pg_backend_pid() and locktype = 'relation'`)
    return Object.fromEntries(
      rows.map(({ name, oid }) => [
        name,
        strongest(held.rows.filter((lock) => lock.oid === oid).map(({ mode }) => worded(mode))),
      ]),
    )
  } finally {
    await client.query('rollback')
  }
}

/** `AccessExclusiveLock` of the catalog as the manual writes it. */
const worded = (mode: string) =>
  mode
    .replace(/Lock$/, '')
    .replaceAll(/(?<=[a-z])(?=[A-Z])/g, ' ')
    .toUpperCase() as Parameters<typeof strongest>[0][number]
