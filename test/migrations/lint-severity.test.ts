import { expect, test } from 'vitest'
import type { LintContext } from '../../src/platform/sql-parser/lint/script-state.js'
import { linted } from './lint/linted.js'

const INDEX = 'create index i on app.t (a)'

const sized = (rows: number, bytes: number, name = 'app.t'): Partial<LintContext> => ({
  tables: new Map([[name, { rows, bytes }]]),
})
const allowed = (rule: string, reason = 'everybody is asleep'): Partial<LintContext> => ({
  allow: new Map([[rule, reason]]),
})

/** The severities of what a rule finds. */
const severities = async (sql: string, rule: string, context: Partial<LintContext> = {}) =>
  (await linted(sql, context))
    .filter((finding) => finding.rule === rule)
    .map(({ severity }) => severity)

test('a finding says where, which lock, whom it blocks and the safe way', async () => {
  const [finding] = await linted(`\n-- an index\n${INDEX}`)
  expect(finding).toEqual({
    rule: 'require-concurrent-index-creation',
    severity: 'block',
    statement: 1,
    line: 3,
    message: 'app.t: writes wait until the index is built.',
    lock: 'SHARE on app.t',
    blocks: 'writes',
    rewrite: 'CREATE INDEX CONCURRENTLY, in a file with "-- transaction: none" at the top.',
    docs: 'https://squawkhq.com/docs/require-concurrent-index-creation',
  })
})

test.each([
  ['of unknown size', {}, 'block'],
  ['that is small', sized(9_999, 10_485_759), 'info'],
  ['with many rows', sized(10_000, 8_192), 'block'],
  ['of many bytes', sized(10, 10_485_760), 'block'],
  ['beside a small one', sized(10, 8_192, 'app.other'), 'block'],
])('an index on a table %s', async (_, context, severity) => {
  expect(await severities(INDEX, 'require-concurrent-index-creation', context)).toEqual([severity])
})

test.each([
  ['made by the same script', 'create table app.t (a int)', 'info'],
  ['made and renamed', 'create table app.x (a int); alter table app.x rename to t', 'info'],
  ['made from a query', 'create table app.t as select 1 as a', 'info'],
  ['made, dropped and meant again', 'create table app.t (a int); drop table app.t', 'block'],
  ['of the same name in another schema', 'create table other.t (a int)', 'block'],
  ['that was temporary only', 'create temp table t (a int)', 'block'],
])('an index on a table %s', async (_, before, severity) => {
  const rule = 'require-concurrent-index-creation'
  expect(await severities(`${before}; ${INDEX}`, rule)).toEqual([severity])
})

test('IF NOT EXISTS makes no table that is there already', async () => {
  const sql = `create table if not exists app.t (a int); ${INDEX}`
  const rule = 'require-concurrent-index-creation'
  expect(await severities(sql, rule, sized(1e6, 1e9))).toEqual(['block'])
  expect(await severities(sql, rule)).toEqual(['info'])
})

test('a foreign key is harmless only when both of its tables are small', async () => {
  const sql = 'alter table app.t add foreign key (a) references app.u (a)'
  const rule = 'adding-foreign-key-constraint'
  const both = new Map([...(sized(1, 1).tables ?? []), ...(sized(1, 1, 'app.u').tables ?? [])])
  expect(await severities(sql, rule, sized(1, 1))).toEqual(['block'])
  expect(await severities(sql, rule, { tables: both })).toEqual(['info'])
})

test('what fails on any row is as bad on a small table', async () => {
  const sql = 'alter table app.t add a text not null'
  expect(await severities(sql, 'adding-required-field', sized(1, 8_192))).toEqual(['block'])
})

test('a reason in the file turns a block or a warning into information, with the reason', async () => {
  const rule = 'require-concurrent-index-creation'
  const [finding] = await linted(INDEX, allowed(rule, 'no client yet\u001b[2J'))
  expect(finding).toMatchObject({ severity: 'info' })
  expect(finding?.message).toMatch(/ Allowed in the file: no client yet \[2J$/)
  const sql = 'refresh materialized view app.v'
  const warned = 'require-concurrent-refresh'
  expect(await severities(sql, warned, allowed(warned))).toEqual(['info'])
})

test('no reason excuses what the runner cannot run, and the linter says so', async () => {
  const found = await linted('copy app.t from stdin', allowed('copy-stdin'))
  expect(found.find((finding) => finding.rule === 'copy-stdin')?.severity).toBe('error')
  expect(found.at(-1)).toMatchObject({
    rule: 'vain-allow',
    severity: 'warn',
    message: 'The file allows copy-stdin, which no file can allow.',
  })
})

test('a mistyped rule is told', async () => {
  expect(await linted('select 1', allowed('ban-drop-tabel'))).toMatchObject([
    { rule: 'vain-allow', message: 'The file allows ban-drop-tabel, which is no rule.' },
  ])
})

test('names of the script are quoted and have no control characters', async () => {
  const [finding] = await linted('create index i on "a\u001b[2J"."b""c" (x)')
  expect(finding?.message).toBe('"a?[2J"."b""c": writes wait until the index is built.')
})

test('an unqualified name is looked for in public', async () => {
  const sql = 'create index i on t (a)'
  const rule = 'require-concurrent-index-creation'
  expect(await severities(sql, rule, sized(1, 1, 'public.t'))).toEqual(['info'])
})
