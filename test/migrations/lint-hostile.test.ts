import { expect, test } from 'vitest'
import { lintScript } from '../../src/platform/sql-parser/lint/lint-script.js'
import { parseScript } from '../../src/platform/sql-parser/parse-script.js'
import { turnsDuring } from '../sql-parser/turns.js'
import { CONTEXT } from './lint/linted.js'

test.each([
  ['a sum of 700 levels', `create index i on app.t ((1${'+1'.repeat(700)}))`],
  ['a condition of 5,000 parts', `create index i on app.t (a) where ${'a = 1 or '.repeat(5_000)}b`],
  ['a string of 4 MB', `create index i on app.t (a); select '${'\\'.repeat(4_000_000)}'`],
  ['a comment of 4 MB', `create index i on app.t (a); /*${' drop '.repeat(700_000)}*/`],
])('%s hides nothing', async (_, sql) => {
  const found = await lintScript(await parseScript(sql), CONTEXT)
  expect(found.map(({ rule }) => rule)).toContain('require-concurrent-index-creation')
})

test('20,000 statements are judged without holding up the main thread', async () => {
  const sql = `${"insert into app.t values (1, 'x');\n".repeat(20_000)}create index i on app.t (a)`
  const statements = await parseScript(sql)
  const { answer, turns } = await turnsDuring(() => lintScript(statements, CONTEXT))
  expect(answer).toMatchObject([{ rule: 'require-concurrent-index-creation', line: 20_001 }])
  expect(turns).toBeGreaterThan(20)
})
