import { expect, test } from 'vitest'
import { parseScript } from '../../src/platform/sql-parser/parse-script.js'
import { turnsDuring } from './turns.js'

const MEGABYTE = 1024 * 1024

const refused = (text: string, message: string | RegExp) =>
  expect(parseScript(text)).rejects.toMatchObject({
    code: 'invalid_input',
    message: typeof message === 'string' ? message : expect.stringMatching(message),
  })

test.each([
  ['select 1;\n  selec 2', 'At line 2, column 3: syntax error at or near "selec".'],
  ["select '📈é' fro m x", 'At line 1, column 17: syntax error at or near "m".'],
  ["select 1;\nselect 'abc", `At line 2, column 8: unterminated quoted string at or near "'abc".`],
  [
    'select $a$ 1 $b$',
    'At line 1, column 8: unterminated dollar-quoted string at or near "$a$ 1 $b$".',
  ],
  ['/* /* */', 'At line 1, column 1: unterminated /* comment at or near "/* /* */".'],
  ['select "a', 'At line 1, column 8: unterminated quoted identifier at or near ""a".'],
  ['select (1', 'At line 1, column 10: syntax error at end of input.'],
  ['select 1;\n\0 drop table x', 'The script has a NUL character at line 2, column 1.'],
  ['select 1;\n x\ud83d', 'The script has half of a UTF-16 character at line 2, column 3.'],
])('%j: %s', (text, message) => refused(text, message))

test('what an error quotes is cut and has no control characters', () =>
  refused(
    `select '${'\u001b[2J'.repeat(1_000)}`,
    /^At line 1, column 8: unterminated [^\p{C}]{1,210}$/u,
  ))

test('more than 5 MiB are refused', () =>
  refused(' '.repeat(5 * MEGABYTE + 1), 'The script has 5242881 bytes; 5242880 are allowed.'))

test.each([
  ['parentheses', `select ${'('.repeat(200_000)}1${')'.repeat(200_000)}`, /memory exhausted/],
  ['negations', `select ${'not '.repeat(200_000)}true`, /memory exhausted/],
  ['sums', `select 1${'+1'.repeat(200_000)}`, /nested too deeply/],
  ['unions', `select 1${' union all select 1'.repeat(100_000)}`, /nested too deeply/],
  ['casts', `select 1${'::int'.repeat(200_000)}`, /nested too deeply/],
])('200,000 nested %s are refused and the next script is read', async (_, text, message) => {
  await refused(text, message)
  expect(await parseScript('select 1')).toHaveLength(1)
})

test('as deep as the main thread parses, a script is read', async () => {
  expect(await parseScript(`select 1${'+1'.repeat(4_090)}`)).toHaveLength(1)
})

test('5 MB are read without holding up the main thread', async () => {
  const row = "(1, 'AAPL', 189.33, '2024-01-01T00:00:00Z', null)"
  const text = `insert into t values ${Array(90_000).fill(row).join(',\n')}`
  const { answer, turns } = await turnsDuring(() => parseScript(text))
  expect(answer).toHaveLength(1)
  expect(turns).toBeGreaterThan(20)
})
