import { expect, test } from 'vitest'
import { lintMigration } from '../../src/domains/migrations/lint/lint-migration.js'
import { parseScript } from '../../src/platform/sql-parser/parse-script.js'
import { turnsDuring } from '../sql-parser/turns.js'
import { CONTEXT } from './lint/linted.js'

const rules = async (sql: string) => {
  const report = await lintMigration({ sql, statements: await parseScript(sql) }, CONTEXT)
  return [...new Set(report.findings.map(({ rule }) => rule))]
}

test.each([
  ['a sum as deep as the parser reads', `delete from app.t returning 1${'+1'.repeat(4_000)}`],
  [
    'a condition of 20,000 parts',
    `delete from app.t; select 1 where ${'a = 1 or '.repeat(20_000)}b`,
  ],
  ['a name of 4 MB', `delete from app.t; select ${'a'.repeat(4_000_000)}`],
  ['a string of 4 MB', `delete from app.t; select '${'\\'.repeat(4_000_000)}'`],
  ['a comment of 4 MB', `delete from app.t; /*${' drop '.repeat(700_000)}*/`],
])('%s hides nothing', async (_, sql) => {
  expect(await rules(sql)).toContain('delete-without-where')
})

test('a function call among 50,000 rows of constants is found', async () => {
  const rows = Array(50_000).fill("(1, 'x'::text, -2)")
  rows[40_000] = "(1, pg_read_file('/etc/passwd'), -2)"
  expect(await rules(`insert into app.t values ${rows.join()}`)).toContain('server-file')
})

test('code of 4 MB is judged', async () => {
  expect(await rules(`do $$${' '.repeat(4_000_000)}drop table t$$`)).toEqual(['destructive-code'])
})

test('20,000 statements are judged without holding up the main thread', async () => {
  const sql = `${"update app.t set a = 1 where b = 'x';\n".repeat(20_000)}drop table app.t`
  const script = { sql, statements: await parseScript(sql) }
  const alone = async () => ({ state: 'absent' }) as const
  const { answer, turns } = await turnsDuring(() => lintMigration(script, CONTEXT, alone))
  expect(answer.findings).toMatchObject([{ rule: 'ban-drop-table', line: 20_001 }])
  expect(turns).toBeGreaterThan(20)
})
