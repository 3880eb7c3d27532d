import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { open } from '../failures/serving.js'
import { runCommand } from '../support/cli.js'
import { ExternalServer } from '../support/external-server.js'

const server = await ExternalServer.start()
await server.query(
  'create role keeper login createrole; create role service login; create role "Odd ""Role" login',
)
await server.query('create database market owner keeper')
const directory = mkdtempSync(join(tmpdir(), 'catalyst-others-'))
const env = {
  DATABASE_URL: server.url('market', 'keeper'),
  CATALYST_MIGRATIONS_DIR: directory,
}
const served = await open(env.DATABASE_URL, env)
const client = await served.connect()
afterAll(async () => {
  await served.close()
  rmSync(directory, { recursive: true, force: true })
})

const asAdmin = (text: string) => server.query(text, 'market')
const asService = (text: string) => server.query(text, 'market', 'service')

/** Who owns what of a schema, by name. */
async function ownersIn(schema: string): Promise<Record<string, string>> {
  const [row] = await asAdmin(`
    select jsonb_object_agg(name, owner::regrole::text) as owners
    from (
      select relname, relowner from pg_class
      where relnamespace = '${schema}'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'S')
      union all
      select proname || '()', proowner from pg_proc where pronamespace = '${schema}'::regnamespace
      union all
      select typname || ' type', typowner from pg_type
      where typnamespace = '${schema}'::regnamespace and typtype in ('e', 'd')
      union all
      select 'schema', nspowner from pg_namespace where nspname = '${schema}'
    ) as thing (name, owner)`)
  return row?.owners
}

await asAdmin(`
  create schema app authorization service;
  create table public.orders (id serial primary key, note text);
  create index orders_note on public.orders (note);
  alter table public.orders owner to service;
  set role service;
  create table app.orders (id serial primary key, kind int);
  create table app.part (id int, at int) partition by range (at);
  create table app.part_1 partition of app.part for values from (0) to (10);
  create view app.kinds as select kind from app.orders;
  create materialized view app.sums as select count(*) as n from app.orders;
  create type app.mood as enum ('calm');
  create domain app.size as int check (value > 0);
  create sequence app.numbers;
  create function app.price(n int) returns int language sql as 'select n';
  create procedure app.tidy() language sql as 'select 1';
  create function app.mighty() returns int language sql security definer as 'select 1';
  create table app.guarded (id int);
  alter table app.guarded enable row level security;
  reset role;
  create schema "Odd ""S" authorization "Odd ""Role";
  create table "Odd ""S"."T ""x" (id int);
  alter table "Odd ""S"."T ""x" owner to "Odd ""Role";
  create view public.seen as select version from catalyst.schema_migrations;
  alter view public.seen owner to keeper`)

let made = 0

/** Writes a migration over MCP and runs it; the refusal, once its files are gone again. */
async function refusalOf(up_sql: string) {
  await client.tool('create_migration', { name: `try_${++made}`, up_sql, down_sql: 'select 1' })
  try {
    return await client.refused('run_migrations')
  } finally {
    for (const file of readdirSync(directory)) rmSync(join(directory, file))
  }
}

const ORDERS = 'alter table app.orders owner to catalyst_migrator;'
const PUBLIC_ORDERS = 'alter table public.orders owner to catalyst_migrator;'

test.each([
  ['alter table public.orders add column x int', PUBLIC_ORDERS],
  ['drop index public.orders_note', PUBLIC_ORDERS],
  ['create index new_one on public.orders (id)', PUBLIC_ORDERS],
  ['insert into public.orders (note) values ($$x$$)', PUBLIC_ORDERS],
])('what needs a table of another is refused with the line: %s', async (text, line) => {
  const { code, hint } = await refusalOf(text)
  expect(code).toBe('permission_denied')
  expect(hint).toContain('That belongs to service.')
  expect(hint).toContain(`: ${line} `)
  expect(hint).toContain(`catalyst-db migrate adopt 'public.orders'`)
})

test('a schema that may not be used or made in is refused with the line that lets it, quoted', async () => {
  expect((await refusalOf('create table app.new_one (id int)')).hint).toContain(
    ': grant usage, create on schema app to catalyst_migrator; ',
  )
  expect((await refusalOf('drop schema app cascade')).hint).toContain(
    ': alter schema app owner to catalyst_migrator; ',
  )
  expect((await refusalOf('create table "Odd ""S".new_one (id int)')).hint).toContain(
    ': grant usage, create on schema "Odd ""S" to catalyst_migrator; ',
  )
})

test('of each kind the line is of that kind', async () => {
  await asAdmin('grant usage, create on schema app, "Odd ""S" to catalyst_migrator')
  const lines = async (text: string) => (await refusalOf(text)).hint
  expect(await lines('do $$ begin alter table app.orders add x int; end $$')).toContain(ORDERS)
  expect(await lines('drop view app.kinds')).toContain('alter view app.kinds owner to')
  expect(await lines('drop materialized view app.sums')).toContain(
    'alter materialized view app.sums owner to',
  )
  expect(await lines(`alter type app.mood add value 'wild'`)).toContain(
    'alter type app.mood owner to',
  )
  expect(await lines('alter sequence app.numbers restart')).toContain(
    'alter sequence app.numbers owner to',
  )
  expect(await lines('drop function app.price(int)')).toContain(
    'alter function app.price(n integer) owner to',
  )
  expect(await lines('drop procedure app.tidy()')).toContain('alter procedure app.tidy() owner to')
  expect(await lines('alter table "Odd ""S"."T ""x" add x int')).toContain(
    'alter table "Odd ""S"."T ""x" owner to catalyst_migrator;',
  )
  const forbidden = await refusalOf('insert into catalyst.jobs default values')
  expect(forbidden.code).toBe('permission_denied')
  expect(forbidden.hint).not.toContain('owner to')
  await asAdmin('revoke all on schema app, "Odd ""S" from catalyst_migrator')
})

test('migrate adopt prints the lines of a table and changes nothing', async () => {
  const printed = await runCommand(['migrate', 'adopt', 'public.orders'], env)
  expect(printed.code).toBe(0)
  expect(printed.stdout.split('\n')).toEqual([
    'alter table public.orders owner to catalyst_migrator;',
    'grant all on sequence public.orders_id_seq to service;',
    'grant all on table public.orders to service;',
    '',
  ])
  expect(await ownersIn('public')).toMatchObject({ orders: 'service' })
})

test('the owner of what is adopted reads and writes it as before, and migrations over MCP change it', async () => {
  const { stdout } = await runCommand(['migrate', 'adopt', 'app', '--json'], env)
  const { target, role, lines, stays, ran } = JSON.parse(stdout)
  expect({ target, role, ran }).toEqual({ target: 'app', role: 'catalyst_migrator', ran: false })
  expect(stays).toEqual([
    { object: 'app.guarded', reason: expect.stringContaining('row security') },
    { object: 'app.mighty()', reason: 'it runs with the rights of its owner' },
  ])
  // The role of DATABASE_URL does not own it, so it is the superuser's to run.
  const refused = await runCommand(['migrate', 'adopt', 'app', '--run', '--yes'], env)
  expect(refused.code).toBe(5)
  expect(await ownersIn('app')).toMatchObject({ orders: 'service' })
  await asAdmin(lines.join('\n'))
  const { 'mighty()': mighty, guarded, ...handed } = await ownersIn('app')
  expect([mighty, guarded]).toEqual(['service', 'service'])
  expect(new Set(Object.values(handed))).toEqual(new Set(['catalyst_migrator']))
  await asService(`
    insert into app.orders (kind) values (1);
    update app.orders set kind = 2;
    insert into app.part values (1, 1);
    select n from app.sums;
    select kind from app.kinds;
    select nextval('app.numbers'), app.price(1);
    call app.tidy();
    create table app.of_service (m app.mood, s app.size);
    delete from app.orders`)
  await client.tool('create_migration', {
    name: 'change_app',
    up_sql: 'alter table app.orders add column x int; create index on app.part (at)',
    down_sql: '',
  })
  expect((await client.tool('run_migrations')).new_version).toBe(1000)
  const again = await runCommand(['migrate', 'adopt', 'app.orders'], env)
  expect(again.stdout).toBe('-- nothing of app.orders is still to be handed over\n')
})

test('what the operator owns is adopted with --run, all partitions with it, and once more is nothing', async () => {
  await server.query(
    `create schema own;
     create table own.part (id int, at int) partition by range (at);
     create schema aside;
     create table aside.part_1 partition of own.part for values from (0) to (10);
     create table "own"."Orders" (id int)`,
    'market',
    'keeper',
  )
  const unsure = await runCommand(['migrate', 'adopt', 'own.part', '--run'], env)
  expect(unsure.code).toBe(5)
  expect(unsure.stdout).toContain('alter table own.part owner to catalyst_migrator;')
  const done = await runCommand(['migrate', 'adopt', 'own.part', '--run', '--yes'], env)
  expect(done).toMatchObject({ code: 0, stdout: 'own.part is handed over to catalyst_migrator\n' })
  expect(await ownersIn('own')).toMatchObject({ part: 'catalyst_migrator', Orders: 'keeper' })
  expect(await ownersIn('aside')).toMatchObject({ part_1: 'catalyst_migrator', schema: 'keeper' })
  await server.query('insert into own.part values (1, 1)', 'market', 'keeper')
  expect(await runCommand(['migrate', 'adopt', '"own"."Orders"', '--yes'], env)).toMatchObject({
    code: 0,
  })
})

test('a view that would no longer see what it reads stays with its owner', async () => {
  const { stdout } = await runCommand(['migrate', 'adopt', 'public.seen'], env)
  expect(stdout).toContain(
    '-- public.seen stays with its owner: it reads catalyst.schema_migrations, which catalyst_migrator may not',
  )
})

test.each([
  ['catalyst', 5],
  ['catalyst.news_articles', 5],
  ['pg_catalog', 5],
  ['information_schema', 5],
  ['pg_catalog.pg_authid', 5],
  ['public.orders_note', 2],
  ['public.nowhere', 1],
  ['x; drop table orders', 1],
  ['"', 1],
])('%s is never handed over', async (name, code) => {
  const result = await runCommand(['migrate', 'adopt', name, '--run', '--yes'], env)
  expect(result.code).toBe(code)
  expect(result.stdout).toBe('')
})

test('what the operator makes on the command line belongs to the role of migrations afterwards', async () => {
  const write = (name: string, text: string) => writeFileSync(join(directory, name), text)
  write(
    '1001_make.up.sql',
    `create schema made; create table made.t (id serial primary key); create type made.mood as enum ('calm');
     create function made.f() returns int language sql as 'select 1';
     create function made.mighty() returns int language sql security definer as 'select 1';
     create view public.peek as select version from catalyst.schema_migrations;
     create view made.v as select id from made.t;`,
  )
  write('1002_alone.up.sql', '-- transaction: none\ncreate index concurrently t_id on made.t (id);')
  const done = await runCommand(['migrate', 'up', '--yes'], env)
  expect(done).toMatchObject({ code: 0 })
  expect(done.stdout).toContain('public.peek stays with its owner: it reads catalyst.')
  const { 'mighty()': mighty, ...handed } = await ownersIn('made')
  expect(mighty).toBe('keeper')
  expect(new Set(Object.values(handed))).toEqual(new Set(['catalyst_migrator']))
  expect(await ownersIn('public')).toMatchObject({ peek: 'keeper' })
  expect(new Set(Object.values(await ownersIn('catalyst')))).toEqual(new Set(['keeper']))
  await client.tool('create_migration', {
    name: 'change_made',
    up_sql: 'alter table made.t add column note text',
    down_sql: '',
  })
  expect((await client.tool('run_migrations')).new_version).toBe(1003)
})
