import { expect, test } from 'vitest'
import {
  restorableFingerprint,
  schemaFingerprint,
} from '../../src/domains/backups/capture/fingerprint.sql.js'
import { startApp } from '../support/app.js'
import { createBackup, logSettings, newFolder } from './log-support.js'

/** What PostgreSQL words otherwise once a dump was read again, and what is there without being wrong. */
const USERS_OWN = `
  create schema shop;
  create schema "We ird";
  create type shop.mood as enum ('sad', 'happy');
  alter type shop.mood add value 'so-so' before 'happy';
  create sequence shop.numbers;
  set local search_path = shop, public;
  create domain shop.code as varchar(10) default 'a' || nextval('numbers') check (value in ('a1', 'b2') or value like 'x%');
  reset search_path;
  create table shop.item (
    id bigint generated always as identity primary key,
    kind varchar(10) not null check (kind in ('a', 'b')),
    other varchar(10) check (other not in ('a', 'b') and (other <> 'z' or (other = 'q' and length(other) > -1))),
    price numeric(10,2) default 0 check (case when kind in ('a', 'b') then price > 0 else true end),
    at timestamptz check (at > '2020-01-01'),
    lasts interval default '3 days' check (lasts < '1 mon 2 days'),
    mood shop.mood default 'so-so',
    code shop.code,
    data bytea default '\\xdead',
    twice numeric generated always as (price * 2 + 1) stored
  );
  alter table shop.item add constraint later check (price < 100) not valid;
  create index on shop.item (lower(kind), (price + 1) desc) where kind in ('a', 'b') and other is not null;
  create table "We ird"."Ta ble" ("Co l" varchar(3) check ("Co l" in ('a', 'b')),
    exclude using btree ("Co l" with =) where ("Co l" in ('a', 'b')));
  create table shop.day (at timestamptz, kind varchar(5)) partition by range (at);
  create table shop.day_1 partition of shop.day for values from ('2026-11-01 00:00:00+02') to ('2026-12-01');
  create index incomplete on only shop.day (kind);
  create table shop.target (id int primary key) partition by hash (id);
  create table shop.target_0 partition of shop.target for values with (modulus 2, remainder 0);
  create table shop.target_1 partition of shop.target for values with (modulus 2, remainder 1);
  create table shop.source (id int references shop.target);
  create view shop.picked as
    select id, kind in ('a', 'b') as is_picked from shop.item where kind in ('a', 'b') and (id > 1 or (id < 0 and id <> -4));
  create function shop.is_picked(a varchar default 'q') returns boolean language sql immutable
    begin atomic select a in ('x', 'y') and (length(a) > 1 or a <> 'q'); end;
  create function shop.touch() returns trigger language plpgsql as $$ begin return new; end $$;
  create trigger touched before update on shop.item for each row
    when (old.kind in ('a', 'b') and new.price is distinct from old.price) execute function shop.touch('it''s');
  create policy picked on shop.item using (kind in ('a', 'b') and current_user <> 'x');
  create table shop.counted (a text, b int, c numeric(30,5));
  create sequence shop.of_text owned by shop.counted.a;
  create sequence shop.small maxvalue 1000 owned by shop.counted.b;
  create sequence shop.down increment -1 owned by shop.counted.c;
  insert into shop.counted values ('a1', 2000000, 12345678901234567890123), ('7', 30, -3.7);
  grant select on shop.item to public;
  create table shop.double (a int);
  insert into shop.double values (1), (1)`

const DEFAULTS = [
  "timezone = 'Asia/Tokyo'",
  "intervalstyle = 'iso_8601'",
  "datestyle = 'SQL, DMY'",
  "bytea_output = 'escape'",
  'quote_all_identifiers = on',
  "search_path = shop, public, 'We ird'",
]

test('a healthy backup is proven by restoring it, whatever is in the database and its defaults are', async () => {
  const app = await startApp({ env: logSettings(newFolder(), { full_every_hours: 8_760 }) })
  const { client, database } = app
  await database.query(USERS_OWN)
  // It stays, of no use to anybody, and no dump has it.
  const failed = database.query('create unique index concurrently unfinished on shop.double (a)')
  await expect(failed).rejects.toThrow('could not create unique index')
  const proven = async () => {
    const { backup_id } = await createBackup(client, 'full')
    return client.tool('verify_backup', { backup_id, level: 'restore' })
  }
  expect(await proven()).toMatchObject({ valid: true, issues: [], not_checked: [] })
  for (const one of DEFAULTS) {
    await database.query(`alter database ${database.name} set ${one}`)
  }
  expect(await proven()).toMatchObject({ valid: true, issues: [], not_checked: [] })
  const { last_drill } = await client.resource('catalyst://db/backups/latest')
  expect(last_drill).toMatchObject({ valid: true })
})

test('a schema that is another one has another fingerprint; what a session or a failed index left has not', async () => {
  const { database } = await startApp()
  await database.query(`
    create table public.t (id int primary key, a varchar(3) default 'x', b int check (b in (1, 2)));
    create domain public.d as text check (value <> '');
    create function public.f() returns int language sql as 'select (1 + 2) * 3';
    create view public.v as select id from public.t where b = 1;
    create table public.double (a int);
    insert into public.double values (1), (1)`)
  const fingerprints = async () => {
    const [found] = await database.query<{ restorable: string; exact: string }>(
      `select ${restorableFingerprint().text} as restorable, ${schemaFingerprint().text} as exact`,
    )
    return found
  }
  let before = await fingerprints()
  for (const change of [
    'alter table public.t add c int',
    'alter table public.t alter a type varchar(4)',
    "alter table public.t alter a set default 'y'",
    'alter table public.t alter b set not null',
    'alter table public.t drop constraint t_b_check, add constraint t_b_check check (b in (1, 3))',
    "alter domain public.d add constraint more check (value <> 'x')",
    "alter domain public.d set default 'z'",
    "create or replace function public.f() returns int language sql as 'select 1 + 2 * 3'",
    'create or replace view public.v as select id from public.t where b = 2',
    'create index i on public.t (a)',
    'create schema s',
    "create type public.e as enum ('one', 'two')",
    'alter table public.t replica identity full',
  ]) {
    await database.query(change)
    const after = await fingerprints()
    expect(after?.restorable, change).not.toBe(before?.restorable)
    expect(after?.exact, change).not.toBe(before?.exact)
    before = after
  }
  const reworded =
    'alter table public.t drop constraint t_b_check, add constraint t_b_check check ((b)::bigint in (1, 3))'
  await database.query(reworded)
  expect(await fingerprints()).toEqual({
    restorable: before?.restorable,
    exact: expect.not.stringMatching(before?.exact ?? ''),
  })
  before = await fingerprints()
  await database.query(`create temp table gone (a int); create type pg_temp.gone_too as enum ('x')`)
  const failed = database.query('create unique index concurrently unfinished on public.double (a)')
  await expect(failed).rejects.toThrow('could not create unique index')
  expect(await fingerprints()).toEqual(before)
})
