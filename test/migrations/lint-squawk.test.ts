import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { lintMigration } from '../../src/domains/migrations/lint/lint-migration.js'
import { LEFT_OUT, SQUAWK_ONLY } from '../../src/domains/migrations/lint/squawk-findings.js'
import { parseScript } from '../../src/platform/sql-parser/parse-script.js'
import { runSquawk } from '../../src/platform/squawk/squawk.js'
import { CONTEXT, linted } from './lint/linted.js'
import { RULE_FIXTURES } from './lint/rule-fixtures.js'

const directory = mkdtempSync(join(tmpdir(), 'squawk-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const ask = (sql: string, program?: string) =>
  runSquawk({ sql, exclude: LEFT_OUT, isTransactional: true, ...(program ? { program } : {}) })

async function report(sql: string, allow: ReadonlyMap<string, string> = new Map()) {
  return lintMigration({ sql, statements: await parseScript(sql) }, { ...CONTEXT, allow })
}

/** A program in the place of squawk. */
function program(name: string, script: string): string {
  const file = join(directory, name)
  writeFileSync(file, `#!/bin/sh\n${script}\n`)
  chmodSync(file, 0o755)
  return file
}

const DROP_NOT_NULL = 'select 1;\n\nalter table app.t\n  alter column a drop not null'

test('what only squawk knows is a warning at the statement it is in', async () => {
  const { findings, engines } = await report(DROP_NOT_NULL)
  expect(engines).toEqual(['catalyst-db', 'squawk'])
  expect(findings).toMatchObject([
    { rule: 'ban-drop-not-null', severity: 'warn', statement: 2, line: 3, destructive: false },
  ])
})

test('a reason in the file holds for it too', async () => {
  const { findings } = await report(DROP_NOT_NULL, new Map([['ban-drop-not-null', 'nullable']]))
  expect(findings).toMatchObject([{ rule: 'ban-drop-not-null', severity: 'info' }])
})

test('no comment of the script silences it', async () => {
  const sql = `-- squawk-ignore-file\n-- squawk-ignore ban-drop-not-null\n${DROP_NOT_NULL}`
  expect((await report(sql)).findings).toMatchObject([{ rule: 'ban-drop-not-null' }])
})

test.each([
  ['cannot read the script', 'kill -ABRT $$', ['ban-drop-table', 'squawk-unreadable']],
  ['is not installed', null, ['ban-drop-table']],
])('when it %s, our rules have run and the answer says which engines', async (_, code, rules) => {
  const path = code === null ? join(directory, 'nowhere') : program('failing', code)
  const sql = 'drop table app.t'
  const script = { sql, statements: await parseScript(sql) }
  const judged = lintMigration(script, CONTEXT, (request) =>
    runSquawk({ ...request, program: path }),
  )
  const { findings, engines } = await judged
  expect(engines).toEqual(['catalyst-db'])
  expect(findings.map(({ rule }) => rule)).toEqual(rules)
})

test.each([
  ['is not there', join(directory, 'nowhere'), 'absent'],
  ['crashes', program('crash', 'kill -ABRT $$'), 'unreadable'],
  ['answers nonsense', program('nonsense', 'echo "{}"'), 'unreadable'],
  ['floods', program('flood', 'yes'), 'unreadable'],
  ['says nothing', program('silent', 'exit 0'), 'unreadable'],
])('a program that %s is no failure', async (_, path, state) => {
  expect(await ask('select 1', path)).toEqual({ state })
})

test('its process gets nothing of our environment', async () => {
  const file = program('environment', `env > ${join(directory, 'env')}; echo '[]'`)
  expect(await ask('select 1', file)).toEqual({ state: 'read', remarks: [] })
  const names = readFileSync(join(directory, 'env'), 'utf8').match(/^\w+(?==)/gm)
  expect(names?.filter((name) => !['PATH', 'PWD', 'OLDPWD', '_', 'SHLVL'].includes(name))).toEqual(
    [],
  )
})

/** Where our rule has a name of its own, or is more precise: ours, and what squawk calls it. */
const TWINS: Readonly<Record<string, string>> = {
  'adding-foreign-key-constraint': 'constraint-missing-not-valid',
  'adding-not-nullable-field': 'constraint-missing-not-valid',
  'adding-exclusion-constraint': 'constraint-missing-not-valid',
  'disallowed-unique-constraint': 'constraint-missing-not-valid, adding-serial-primary-key-field',
  'adding-stored-column': 'adding-field-with-default',
  'adding-serial-primary-key-field': 'adding-field-with-default',
  'changing-column-type': 'prefer-text-field',
  'widening-column-type': 'changing-column-type',
  'prefer-identity': 'prefer-bigint-over-int',
}

test('whatever it finds in our bad scripts, our rules find too', async () => {
  for (const sql of Object.values(RULE_FIXTURES).flatMap(({ bad }) => bad)) {
    const answer = await ask(sql)
    const found = (await linted(sql)).flatMap(({ rule }) => [rule, TWINS[rule] ?? []].flat())
    const remarks = answer.state === 'read' ? answer.remarks : [{ rule: answer.state }]
    const missed = remarks
      .map(({ rule }) => rule)
      .filter((rule) => !SQUAWK_ONLY.has(rule) && !found.join().includes(rule))
    expect({ sql, missed }).toEqual({ sql, missed: [] })
  }
})
