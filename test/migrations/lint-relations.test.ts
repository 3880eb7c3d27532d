import { expect, test } from 'vitest'
import { relationsOf } from '../../src/platform/sql-parser/lint/script-state.js'
import { parseScript } from '../../src/platform/sql-parser/parse-script.js'
import { keyOf } from '../../src/platform/sql-parser/tree.js'

const named = async (sql: string) =>
  relationsOf(await parseScript(sql))
    .named.map(keyOf)
    .sort()
const made = async (sql: string) =>
  relationsOf(await parseScript(sql))
    .made.map(keyOf)
    .sort()

test.each([
  ['alter table app.t add a int', ['app.t']],
  ['drop index app.i, "Odd.Name"', ['app.i', 'public.Odd.Name']],
  ['alter table t add foreign key (a) references app.u (a)', ['app.u', 'public.t']],
  ['with d as (delete from app.a returning 1) select * from app.b', ['app.a', 'app.b']],
  ['vacuum app.a, app.b', ['app.a', 'app.b']],
  [
    'create table app.t (a int); create index on app.t (a); drop table app.old',
    ['app.old', 'app.t'],
  ],
  ['set local search_path = app; alter table t add a int', ['app.t']],
  ['create temp table t (a int); truncate t', ['public.t']],
])('the relations that a script names: %s', async (sql, relations) => {
  expect(await named(sql)).toEqual(relations)
})

test.each([
  ['create table app.t (a int); create index i on app.t (a)', ['app.i', 'app.t']],
  ['create table app.t (a int); drop table app.t', []],
  ['select 1 as a into app.t', ['app.t']],
  ['alter table app.t add a int', []],
])('the relations that a script makes: %s', async (sql, relations) => {
  expect(await made(sql)).toEqual(relations)
})
