import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseScript } from '../../src/platform/sql-parser/parse-script.js'

const STATEMENTS = [
  'select 1',
  "insert into t values ('a;b', E'it\\'s; \\n', U&'\\0041;')",
  'do $body$ begin; perform $$;$$; end $body$',
  'create table "a;b" (c text default $$;\n$$)',
  "comment on table t is '📈 émoji; über'",
  'select /* one /* two; */ three; */ 1',
  'select 1 -- not yet; \n + 1',
  'create function f() returns int language sql begin atomic select 1; select 2; end',
  "create function g() returns void language plpgsql as $f$ begin raise notice ';'; end $f$",
  'create rule r as on insert to t do also (delete from a; delete from b)',
  'drop index concurrently if exists i',
]
const GAPS = [
  '\n',
  ' ;\n',
  '\n-- a comment; with "quotes\'\n',
  '/* 📈 /* nested; */\n*/',
  '\t;;\r\n',
]

test('any concatenation of statements is split into them again, each on its line', async () => {
  const parts = fc.array(fc.tuple(fc.constantFrom(...GAPS), fc.constantFrom(...STATEMENTS)))
  await fc.assert(
    fc.asyncProperty(parts, async (script) => {
      let text = ''
      const expected = script.map(([gap, statement], at) => {
        text += gap
        const line = text.split('\n').length
        text += `${statement};`
        return { text: statement, line, index: at + 1 }
      })
      const found = await parseScript(text)
      expect(found.map(({ text, line, index }) => ({ text, line, index }))).toEqual(expected)
    }),
  )
})

test('a big script is split as a small one', async () => {
  const text = `${STATEMENTS.join(';\n')};\n`
  const found = await parseScript(text.repeat(40))
  expect(found.map((statement) => statement.text)).toEqual(
    Array.from({ length: 40 }, () => STATEMENTS).flat(),
  )
  expect(found.at(-1)?.line).toBe(text.split('\n').length * 40 - 40)
})

test('a statement says its kind and has its tree', async () => {
  const [statement] = await parseScript('create unique index concurrently i on a.t (b)')
  expect(statement).toMatchObject({ kind: 'IndexStmt', node: { idxname: 'i', concurrent: true } })
})

test.each(['', '  \n', '-- only a comment', ';;'])('%j has no statements', async (text) => {
  expect(await parseScript(text)).toEqual([])
})
