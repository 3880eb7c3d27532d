import type { LintContext } from '../../../src/platform/sql-parser/lint/script-state.js'

/** Scripts that a rule must find something in, and scripts near to them in which it must not. */
export interface RuleFixtures {
  readonly bad: readonly string[]
  readonly good: readonly string[]
  readonly context?: Partial<LintContext>
}

/** By the name of the rule. */
export const RULE_FIXTURES: Readonly<Record<string, RuleFixtures>> = {
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
      'alter table app.t add column a bigint check (a > 0)',
    ],
    good: [
      'alter table app.t add constraint c check (a > 0) not valid',
      'create table app.u (a bigint check (a > 0))',
    ],
  },
  'adding-foreign-key-constraint': {
    bad: [
      'alter table app.t add constraint c foreign key (a) references app.u (a)',
      'alter table app.t add column a bigint default 1 references app.u (a)',
    ],
    good: [
      'alter table app.t add column a bigint references app.u (a) on delete cascade',
      'alter table app.t add constraint c foreign key (a) references app.u (a) not valid',
    ],
  },
  'adding-not-nullable-field': {
    bad: [
      'alter table app.t alter column a set not null',
      'alter table app.t add constraint c not null a',
      'alter table app.t validate constraint c; alter table app.t alter column a set not null',
      'alter table app.t add constraint c check (b is not null); alter table app.t alter a set not null',
      'alter table app.t add constraint c check (a is not null) not valid; alter table app.t alter a set not null',
      'alter table app.t add constraint c check (a is not null); alter table app.t drop constraint c; alter table app.t alter a set not null',
    ],
    good: [
      'alter table app.t add constraint c check (a is not null) not valid; alter table app.t validate constraint c; alter table app.t alter column a set not null',
      'alter table app.t add constraint c not null a not valid',
      'alter table app.t alter column a drop not null',
    ],
  },
  'validate-in-same-transaction': {
    bad: [
      'alter table app.t add check (a > 0) not valid; alter table app.t validate constraint c',
      'alter table app.t add constraint c foreign key (a) references app.u not valid; alter table app.t validate constraint c',
    ],
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
  'backfill-with-ddl': {
    bad: [
      'alter table app.t add a int; update app.t set a = 1 where a is null',
      'alter table app.t add a int; insert into app.u select * from app.t',
      'alter table app.t add a int; merge into app.u using app.t on u.a = t.a when matched then delete',
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
  'session-setting': {
    bad: ['set search_path = app', `set local "LOCK_TIMEOUT" = '1s'`, 'set role bob'],
    good: [`set work_mem = '8MB'`, 'show search_path'],
  },
  'missing-down-file': {
    bad: ['select 1; select 2'],
    good: ['-- nothing'],
    context: { hasDown: false },
  },
  'copy-stdin': { bad: ['copy app.t from stdin', 'copy app.t to stdout'], good: ['select 1'] },
}
