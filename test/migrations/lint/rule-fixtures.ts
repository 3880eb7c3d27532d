import type { LintContext } from '../../../src/domains/migrations/lint/script-state.js'

/** Scripts that a rule must find something in, and scripts near to them in which it must not. */
export interface RuleFixtures {
  readonly bad: readonly string[]
  readonly good: readonly string[]
  readonly context?: Partial<LintContext>
}

const definer = (settings: string) =>
  `create function app.f() returns int language sql security definer ${settings} as 'select 1'`

/** By the name of the rule. */
export const RULE_FIXTURES: Readonly<Record<string, RuleFixtures>> = {
  'ban-drop-table': {
    bad: [
      'drop table app.trades',
      'create table if not exists a.t (b int); drop table a.u',
      'create temp table t (a int); drop table t; drop table t',
      'create temp table t (a int); drop table public.t',
    ],
    good: ['drop index app.i', 'create temp table t (a int); drop table t'],
  },
  'ban-drop-column': {
    bad: ['alter table app.trades drop column note', 'alter table t add a int, drop if exists b'],
    good: ['alter table app.trades drop constraint c'],
  },
  'drop-schema': { bad: ['drop schema app', 'drop schema "A" cascade'], good: ['create schema a'] },
  'drop-sequence': { bad: ['drop sequence app.s'], good: ['create sequence app.s'] },
  truncate: {
    bad: ['truncate app.trades', 'truncate table a, b restart identity cascade'],
    good: ['delete from app.trades where id = 1', 'create table a.t (b int); truncate a.t'],
  },
  'delete-without-where': {
    bad: [
      'delete from app.trades',
      'delete from app.trades where true',
      'delete from app.trades where 1 = 1',
      'with d as (delete from app.trades returning id) select count(*) from d',
      'prepare p as delete from app.trades',
      'explain analyze delete from app.trades',
      'merge into app.t using app.u on t.a = u.a when not matched by source then delete',
    ],
    good: [
      'delete from app.trades where id = 1',
      'create function a.f() returns void language sql begin atomic delete from app.trades; end',
    ],
  },
  'update-without-where': {
    bad: ['update app.trades set a = 1', "update app.trades set a = 1 where 'x' = 'x'"],
    good: [
      'update app.trades set a = 1 where a is null',
      'update app.trades set a = 1 where a = 1',
    ],
  },
  'drop-cascade': {
    bad: ['drop view app.v cascade', 'alter table app.t drop constraint c cascade'],
    good: ['drop view app.v', 'alter table app.t drop constraint c'],
  },
  'set-unlogged': {
    bad: ['alter table app.trades set unlogged'],
    good: ['create unlogged table app.scratch (a int)'],
  },
  'drop-object': {
    bad: [
      'drop view app.v',
      'drop function app.f(int)',
      'drop type app.t',
      'drop extension citext',
    ],
    good: ['drop trigger t on app.trades', 'create view app.v as select 1'],
  },
  'drop-constraint': {
    bad: ['alter table app.trades drop constraint c'],
    good: ['alter table app.trades alter column c drop default'],
  },
  'drop-owned': { bad: ['drop owned by bob'], good: ['drop view app.v'] },
  'destructive-code': {
    bad: [
      'do $$ begin drop table app.trades; end $$',
      "do $$ begin execute 'dr' || 'op table app.trades'; end $$",
      "create function app.f() returns void language sql as 'delete from app.t'; select app.f()",
      "create procedure app.p() language sql as 'truncate app.t'; call app.p()",
    ],
    good: [
      "do $$ begin raise notice 'done'; end $$",
      "create function app.f() returns void language sql as 'delete from app.t where a = 1'",
    ],
  },
  'catalyst-ledger': {
    bad: [
      'update catalyst.audit_log set outcome = null where audit_id = 1',
      'drop table catalyst.events_0',
      'alter table catalyst.schema_migrations add note text',
      "insert into catalyst.event_outbox (type, data) values ('x', '{}')",
      "select setval('catalyst.event_seq', 1)",
      'do $$ begin delete from "catalyst".audit_log; end $$',
      'with d as (delete from catalyst.audit_log where true returning 1) select 1',
    ],
    good: [
      'create view app.v as select * from catalyst.audit_log',
      'select 1 from catalyst.events',
    ],
  },
  'catalyst-schema': {
    bad: [
      'alter table catalyst.positions add note text',
      'create table catalyst.mine (a int)',
      'create index concurrently i on catalyst.positions (symbol)',
      'drop function catalyst.f()',
      'alter table app.t set schema catalyst',
      'alter schema catalyst rename to c',
      'drop schema catalyst cascade',
      'grant select on catalyst.positions to bob',
      'grant usage on schema catalyst to bob',
      'drop trigger t on catalyst.positions',
      'create type catalyst.mood as enum ()',
      'create view catalyst.v as select 1',
    ],
    good: ['create view app.v as select * from catalyst.positions', 'drop table app.catalyst'],
  },
  'catalyst-rows': {
    bad: [
      'delete from catalyst.positions where true',
      "insert into catalyst.securities (symbol) values ('A')",
    ],
    good: ['insert into app.t select * from catalyst.positions'],
  },
  'catalyst-search-path': {
    bad: [
      'set search_path = public, catalyst',
      "set local search_path to 'catalyst'",
      "select set_config('search_path', 'catalyst', true)",
      "select set_config('search_' || 'path', 'x', true)",
    ],
    good: ['set local search_path = app', "select set_config('app.user', 'catalyst', true)"],
  },
  'require-concurrent-index-creation': {
    bad: ['create index i on app.t (a)', 'create unique index on app.t (a)'],
    good: [
      'create index concurrently i on app.t (a)',
      'create table app.u (a int); create index concurrently i on app.t (a)',
    ],
  },
  'require-concurrent-index-deletion': {
    bad: ['drop index app.i', 'drop index if exists i, j'],
    good: ['drop index concurrently app.i'],
  },
  'require-concurrent-reindex': {
    bad: ['reindex table app.t', 'reindex index app.i', 'reindex schema app'],
    good: ['reindex table concurrently app.t', 'reindex (concurrently) index app.i'],
  },
  'constraint-missing-not-valid': {
    bad: [
      'alter table app.t add constraint c check (a > 0)',
      'alter table app.t add check (a > 0)',
    ],
    good: ['alter table app.t add constraint c check (a > 0) not valid'],
  },
  'adding-foreign-key-constraint': {
    bad: [
      'alter table app.t add constraint c foreign key (a) references app.u (a)',
      'alter table app.t add column a bigint references app.u (a)',
    ],
    good: ['alter table app.t add constraint c foreign key (a) references app.u (a) not valid'],
  },
  'adding-not-nullable-field': {
    bad: [
      'alter table app.t alter column a set not null',
      'alter table app.t add constraint c not null a',
    ],
    good: [
      'alter table app.t validate constraint c; alter table app.t alter column a set not null',
      'alter table app.t add constraint c not null a not valid',
      'alter table app.t alter column a drop not null',
    ],
  },
  'validate-in-same-transaction': {
    bad: ['alter table app.t add check (a > 0) not valid; alter table app.t validate constraint c'],
    good: [
      'alter table app.t validate constraint c',
      'alter table app.u add b int; alter table app.t validate constraint c',
    ],
  },
  'disallowed-unique-constraint': {
    bad: [
      'alter table app.t add constraint c unique (a)',
      'alter table app.t add primary key (a)',
      'alter table app.t add column a bigint unique',
    ],
    good: ['alter table app.t add constraint c unique using index i'],
  },
  'adding-exclusion-constraint': {
    bad: ['alter table app.t add constraint c exclude using gist (during with &&)'],
    good: ['create table app.t (during tstzrange, exclude using gist (during with &&))'],
  },
  'adding-required-field': {
    bad: ['alter table app.t add column a text not null'],
    good: [
      "alter table app.t add column a text not null default ''",
      'alter table app.t add column a text',
      'alter table app.t add column a bigserial not null',
    ],
  },
  'adding-field-with-default': {
    bad: [
      'alter table app.t add column a uuid default gen_random_uuid()',
      'alter table app.t add column a timestamptz not null default clock_timestamp()',
      'alter table app.t add column a int default (1 + app.f())',
    ],
    good: [
      'alter table app.t add column a timestamptz not null default now()',
      'alter table app.t add column a timestamptz default current_timestamp',
      "alter table app.t add column a jsonb not null default '{}'::jsonb",
      'alter table app.t alter column a set default gen_random_uuid()',
    ],
  },
  'adding-stored-column': {
    bad: ['alter table app.t add column a int generated always as (b * 2) stored'],
    good: ['alter table app.t add column a int generated always as (b * 2)'],
  },
  'adding-serial-primary-key-field': {
    bad: [
      'alter table app.t add column id bigserial',
      'alter table app.t add column id bigint generated always as identity',
      'alter table app.t add column id bigint primary key',
    ],
    good: ['alter table app.t add column id bigint'],
  },
  'changing-column-type': {
    bad: [
      'alter table app.t alter column a type bigint',
      'alter table app.t alter column a type text using a::text',
      'alter table app.t alter column a type varchar(20)',
    ],
    good: ['alter table app.t alter column a type text', 'alter table app.t alter a type numeric'],
  },
  'widening-column-type': {
    bad: ['alter table app.t alter column a type text'],
    good: ['alter table app.t alter column a type bigint'],
  },
  'vacuum-full': {
    bad: ['vacuum full app.t', 'vacuum (full, analyze) app.t', 'vacuum full'],
    good: ['vacuum app.t', 'vacuum (full off) app.t'],
  },
  cluster: { bad: ['cluster app.t using i', 'cluster'], good: ['alter table app.t cluster on i'] },
  'lock-table': {
    bad: ['lock table app.t', 'lock app.t in share mode'],
    good: ['lock table app.t in row exclusive mode'],
  },
  'require-concurrent-partition-detach': {
    bad: ['alter table app.t detach partition app.t_1'],
    good: ['alter table app.t detach partition app.t_1 concurrently'],
  },
  'creating-partition-of': {
    bad: ['create table app.t_1 partition of app.t for values from (0) to (10)'],
    good: ['alter table app.t attach partition app.t_1 for values from (0) to (10)'],
  },
  'rewriting-table': {
    bad: ['alter table app.t set tablespace fast', 'alter table app.t set logged'],
    good: ['alter table app.t set (fillfactor = 70)'],
  },
  'creating-trigger': {
    bad: ['create trigger g after insert on app.t execute function app.f()'],
    good: ['drop trigger g on app.t'],
  },
  'require-concurrent-refresh': {
    bad: ['refresh materialized view app.v'],
    good: ['refresh materialized view concurrently app.v'],
  },
  'renaming-table': {
    bad: [
      'alter table app.t rename to u',
      'alter view app.v rename to w',
      'alter table app.t set schema other',
    ],
    good: ['alter index app.i rename to j', 'alter table app.t rename constraint c to d'],
  },
  'renaming-column': {
    bad: ['alter table app.t rename column a to b', 'alter table app.t rename a to b'],
    good: ['alter table app.t rename constraint a to b'],
  },
  'renaming-schema': { bad: ['alter schema app rename to old'], good: ['create schema app'] },
  'transaction-nesting': {
    bad: ['begin', 'commit', 'rollback', 'savepoint s', "prepare transaction 'x'", 'select 1; end'],
    good: ['do $$ begin end $$'],
  },
  'concurrent-in-transaction': {
    bad: [
      'create index concurrently i on a.t (b)',
      'drop index concurrently a.i',
      'vacuum a.t',
      'reindex (concurrently) table a.t',
      'alter table a.t detach partition a.p concurrently',
      "create subscription s connection 'x' publication p",
    ],
    good: [
      'create index i on a.t (b)',
      'reindex (concurrently false) table a.t',
      'analyze a.t',
      "create subscription s connection 'x' publication p with (connect = false)",
    ],
  },
  'backfill-with-ddl': {
    bad: [
      'alter table app.t add a int; update app.t set a = 1 where a is null',
      'alter table app.t add a int; insert into app.u select * from app.t',
    ],
    good: [
      'update app.t set a = 1 where a is null',
      'alter table app.t add a int; insert into app.u values (1)',
      'create table app.t (a int); update app.t set a = 1 where a is null',
    ],
  },
  'several-exclusive-locks': {
    bad: ['alter table app.t add a int; alter table app.u add a int'],
    good: [
      'alter table app.t add a int; alter table app.t add b int',
      'create table app.t (a int); alter table app.u add a int',
    ],
  },
  'prefer-robust-stmts': {
    bad: ['create index concurrently i on app.t (a)', "alter type app.mood add value 'x'"],
    good: ['create index concurrently if not exists i on app.t (a)', 'vacuum app.t'],
    context: { isTransactional: false },
  },
  'session-setting': {
    bad: ["set lock_timeout = '1s'", 'set search_path = app'],
    good: ["set local lock_timeout = '1s'", 'reset all'],
  },
  'missing-down-file': {
    bad: ['select 1; select 2'],
    good: ['-- nothing'],
    context: { hasDown: false },
  },
  'grant-all': {
    bad: [
      'grant all on app.t to bob',
      'grant all privileges on all tables in schema app to bob',
      'alter default privileges in schema app grant all on tables to bob',
    ],
    good: ['grant select, insert on app.t to bob', 'revoke all on app.t from bob'],
  },
  'grant-to-public': {
    bad: [
      'grant select on app.t to public',
      'grant select on app.t to bob, public',
      'alter default privileges grant select on tables to public',
    ],
    good: ['grant select on app.t to "PUBLIC"', 'revoke all on app.t from public'],
  },
  'security-definer-search-path': {
    bad: [
      definer(''),
      definer("set work_mem = '1MB'"),
      'alter function app.f(int) security definer',
    ],
    good: [
      definer("set search_path = ''"),
      definer('').replace('definer', 'invoker'),
      "alter function app.f(int) security definer set search_path = ''",
    ],
  },
  'row-security-off': {
    bad: ['alter table app.t disable row level security', 'drop policy p on app.t'],
    good: ['alter table app.t enable row level security'],
  },
  'disabling-trigger': {
    bad: ['alter table app.t disable trigger all', 'set local session_replication_role = replica'],
    good: ['alter table app.t enable trigger all'],
  },
  'event-trigger': {
    bad: ['create event trigger e on ddl_command_end execute function app.f()'],
    good: ['create trigger g after insert on app.t execute function app.f()'],
  },
  'database-settings': {
    bad: ["alter database app set work_mem = '1GB'", 'alter database app connection limit 3'],
    good: ["set local work_mem = '1GB'"],
  },
  'seed-secret': {
    bad: [
      "insert into app.users (name, password) values ('a', 'b')",
      "insert into app.settings values ('aws', 'AKIAABCDEFGHIJKLMNOP')",
    ],
    good: ["insert into app.users (name) values ('a')", 'create table app.t (password text)'],
  },
  'ban-drop-database': { bad: ['drop database app'], good: ['drop view app.v'] },
  'copy-program': {
    bad: ["copy app.t to program 'sh'", "copy app.t from program 'curl x'"],
    good: ['select 1'],
  },
  'server-file': {
    bad: [
      "copy app.t from '/etc/passwd'",
      "copy (select 1) to '/tmp/x'",
      "select pg_read_file('/etc/passwd')",
      "insert into app.t select pg_catalog.lo_import('/etc/passwd')",
    ],
    good: ["select app.read_file('x')"],
  },
  'copy-stdin': { bad: ['copy app.t from stdin', 'copy app.t to stdout'], good: ['select 1'] },
  'alter-system': {
    bad: [
      "alter system set work_mem = '1GB'",
      "create tablespace t location '/x'",
      'create database d',
    ],
    good: ["set local work_mem = '1GB'"],
  },
  'role-ddl': {
    bad: [
      'create role bob superuser',
      'alter user bob superuser',
      'alter role bob set search_path = x',
      'drop role bob',
      'grant admin to bob',
      'set role bob',
      "select set_config('role', 'bob', true)",
      'set session authorization bob',
      'reassign owned by bob to eve',
    ],
    good: ['grant select on app.t to bob', 'alter table app.t owner to bob'],
  },
  'system-catalog': {
    bad: [
      'update pg_class set relhasindex = false where oid = 1',
      'delete from pg_catalog.pg_attribute where attrelid = 1',
      "insert into pg_authid (rolname) values ('x')",
    ],
    good: ['insert into app.pg_class select 1 from pg_class', 'create table app.pg_t (a bigint)'],
  },
  'runner-session': {
    bad: ['discard all', 'select pg_advisory_unlock_all()', 'select pg_terminate_backend(1)'],
    good: ['select pg_try_advisory_xact_lock(1)', 'reset search_path'],
  },
  'load-library': { bad: ["load 'auto_explain'"], good: ['create extension citext'] },
  'untrusted-language': {
    bad: [
      'do language plpython3u $$ pass $$',
      "create function app.f() returns int language c as 'lib', 'f'",
      "create function app.f() returns int language 'plperlu' as ''",
      'create extension plpython3u',
    ],
    good: ['do language plpgsql $$ begin end $$', 'create extension plperl'],
  },
  'outside-extension': { bad: ['create extension dblink'], good: ['create extension pg_trgm'] },
  'outside-code': {
    bad: [
      "do $$ begin copy app.t to program 'sh'; end $$",
      'do $$ begin create role bob; end $$',
      'do $$ begin perform pg_advisory_unlock_all(); end $$',
      "do $$ begin perform pg_read_file('/etc/passwd'); end $$",
    ],
    good: ["do $$ begin raise notice 'program'; end $$"],
  },
  'prefer-bigint-over-int': {
    bad: ['create table app.t (a int)', 'alter table app.t add a integer'],
    good: ['create table app.t (a bigint)'],
  },
  'prefer-bigint-over-smallint': {
    bad: ['create table app.t (a smallint)'],
    good: ['create table app.t (a bigint)'],
  },
  'prefer-identity': {
    bad: ['create table app.t (a serial)', 'create table app.t (a bigserial primary key)'],
    good: ['create table app.t (a bigint generated always as identity)'],
  },
  'prefer-text-field': {
    bad: ['create table app.t (a varchar(20))'],
    good: ['create table app.t (a text, b varchar)'],
  },
  'ban-char-field': {
    bad: ['create table app.t (a char(3))'],
    good: ['create table app.t (a text)'],
  },
  'prefer-timestamp-tz': {
    bad: ['create table app.t (a timestamp)'],
    good: ['create table app.t (a timestamptz, b timestamp with time zone)'],
  },
  'prefer-jsonb': { bad: ['create table app.t (a json)'], good: ['create table app.t (a jsonb)'] },
  'prefer-numeric-for-money': {
    bad: ['create table app.t (a money)', 'create table app.t (entry_price double precision)'],
    good: ['create table app.t (price numeric(18, 8), score double precision)'],
  },
  'require-enum-value-ordering': {
    bad: ["alter type app.mood add value 'x'"],
    good: [
      "alter type app.mood add value 'x' after 'y'",
      "alter type app.mood rename value 'x' to 'y'",
    ],
  },
  'identifier-too-long': {
    bad: [
      `create table app.${'x'.repeat(64)} (a int)`,
      `create table app.${'é'.repeat(32)} (a int)`,
    ],
    good: [`create table app.${'x'.repeat(63)} (a int)`, `select '${'x'.repeat(64)}'`],
  },
  'wide-index': {
    bad: ['create index concurrently i on app.t (a, b, c, d)'],
    good: ['create index concurrently i on app.t (a, b, c) include (d)'],
  },
  'require-table-schema': {
    bad: ['create table t (a int)', 'drop table t', 'alter table t add a int'],
    good: ['create table app.t (a int)', 'create temp table t (a int); alter table t add b int'],
  },
  'missing-foreign-key-index': {
    bad: [
      'create table app.t (a bigint references app.u (a))',
      'create table app.t (a bigint, b bigint, foreign key (b, a) references app.u (b, a))',
    ],
    good: [
      'create table app.t (a bigint references app.u (a)); create index on app.t (a, b)',
      'create table app.t (a bigint primary key references app.u (a))',
      'create table app.t (a bigint, b bigint, foreign key (a) references app.u, unique (a, b))',
    ],
  },
}
