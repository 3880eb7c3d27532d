import type { LintContext } from '../../../src/domains/migrations/lint/script-state.js'

/** Scripts that a rule must find something in, and scripts near to them in which it must not. */
export interface RuleFixtures {
  readonly bad: readonly string[]
  readonly good: readonly string[]
  readonly context?: Partial<LintContext>
}

/** By the name of the rule. */
export const RULE_FIXTURES: Readonly<Record<string, RuleFixtures>> = {
  'ban-drop-table': {
    bad: ['drop table app.trades', 'create table if not exists a.t (b int); drop table a.u'],
    good: ['drop index app.i', 'create temp table t (a int); drop table t'],
  },
  'ban-drop-column': {
    bad: ['alter table app.trades drop column note', 'alter table t add a int, drop if exists b'],
    good: ['alter table app.trades drop constraint c'],
  },
  'drop-schema': {
    bad: ['drop schema app', 'drop schema if exists "A" cascade'],
    good: ['create schema app'],
  },
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
    ],
    good: [
      'delete from app.trades where id = 1',
      'create function app.f() returns void language sql begin atomic delete from app.trades; end',
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
  'transaction-nesting': {
    bad: ['begin', 'commit', 'rollback', 'savepoint s', "prepare transaction 'x'", 'select 1; end'],
    good: ['do $$ begin end $$'],
  },
  'concurrent-in-transaction': {
    bad: [
      'create index concurrently i on a.t (b)',
      'vacuum a.t',
      'reindex (concurrently) table a.t',
    ],
    good: ['create index i on a.t (b)', 'reindex (concurrently false) table a.t', 'analyze a.t'],
  },
}
