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

test.each([
  ['here', ''],
  ['in a thread', `-- ${'x'.repeat(10_000)}`],
])('700 nested sums are read %s, and 2,000 are refused', async (_, more) => {
  expect(await parseScript(`select 1${'+1'.repeat(700)}${more}`)).toHaveLength(1)
  await refused(`select 1${'+1'.repeat(2_000)}${more}`, /nested too deeply/)
})

test.each([
  ['50,001 statements', 'select 1;'.repeat(50_001), /has 50001 statements; 50000 are allowed/],
  [
    'a condition of 20,000 parts',
    `select 1 where ${'a = f(1) or '.repeat(20_000)}b`,
    /has more than 100000 parts in statement 1/,
  ],
])('%s are more than is looked at', (_, text, message) => refused(text, message))

test('comments within comments are given up at the deadline, without holding up the main thread', async () => {
  const text = `${'/*'.repeat(130_000)}${'*/'.repeat(130_000)} select 1`
  const { turns } = await turnsDuring(() => refused(text, /was not read within \d+ s/))
  expect(turns).toBeGreaterThan(100)
})

test('who gives up is heard while two others are parsed, and the places are free again', async () => {
  const slow = `${'/*'.repeat(60_000)}${'*/'.repeat(60_000)} select 1`
  const others = new AbortController()
  const busy = [1, 2].map(() => parseScript(slow, others.signal))
  const waiting = new AbortController()
  const third = parseScript(slow, waiting.signal)
  waiting.abort()
  await expect(third).rejects.toMatchObject({ code: 'cancelled' })
  others.abort()
  const ends = await Promise.allSettled(busy)
  expect(ends.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  expect(await parseScript(`select 1 -- ${'x'.repeat(10_000)}`)).toHaveLength(1)
})

test('a list of 5 MB is read without holding up the main thread, and its memory is given back', async () => {
  const text = `select * from t where a in (${Array(700_000).fill('123456').join(',')})`
  const { answer, turns } = await turnsDuring(() => parseScript(text))
  expect(answer).toHaveLength(1)
  expect(JSON.stringify(answer[0]?.node).length).toBeLessThan(20_000)
  expect(turns).toBeGreaterThan(20)
})

test('5 MB are read without holding up the main thread', async () => {
  const row = "(1, 'AAPL', 189.33, '2024-01-01T00:00:00Z', null)"
  const text = `insert into t values ${Array(90_000).fill(row).join(',\n')}`
  const { answer, turns } = await turnsDuring(() => parseScript(text))
  expect(answer).toHaveLength(1)
  expect(turns).toBeGreaterThan(20)
})
