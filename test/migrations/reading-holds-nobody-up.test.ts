import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { OperatorFolder } from './operator-folder.js'

const folder = new OperatorFolder()
const { client, url, connect } = await startApp({ env: folder.env })

/** How often `/healthz` answered while something was under way. */
async function healthDuring(work: Promise<unknown>): Promise<number> {
  let isOver = false
  const ended = work.finally(() => {
    isOver = true
  })
  let answers = 0
  while (!isOver) {
    expect((await fetch(url.replace(/\/mcp$/, '/healthz'))).ok).toBe(true)
    answers++
  }
  await ended
  return answers
}

const TEXTS: Readonly<Record<string, { sql: string; message: RegExp; answers?: number }>> = {
  'comments within comments': {
    sql: `${'/*'.repeat(65_000)}${'*/'.repeat(65_000)} select 1`,
    message: /was not read within/,
    answers: 20,
  },
  parentheses: {
    sql: `select ${'('.repeat(100_000)}1${')'.repeat(100_000)}`,
    message: /memory exhausted/,
  },
  sums: { sql: `select 1${'+1'.repeat(100_000)}`, message: /nested too deeply/ },
  conditions: {
    sql: `select 1 where ${'a = 1 or '.repeat(25_000)}b`,
    message: /more than 100000 parts|was not read within/,
  },
  'line ends': { sql: `select 1;${'\n'.repeat(250_000)}selec 2`, message: /line 250001, column 1/ },
  'a header of spaces': {
    sql: `-- allow:${' '.repeat(250_000)}x\u2028y\nselec 2`,
    message: /must be a rule/,
  },
}

test.each(Object.entries(TEXTS))('%s of 256 kB: others are answered', async (_, text) => {
  const request = { name: 'big', up_sql: text.sql, down_sql: '' }
  const refusal = client.refused('create_migration', request)
  expect(await healthDuring(refusal)).toBeGreaterThanOrEqual(text.answers ?? 1)
  expect(await refusal).toMatchObject({
    code: 'invalid_input',
    message: expect.stringMatching(text.message),
  })
})

test('two clients may have big texts read at once, and a third one gets its turn', async () => {
  const others = await Promise.all([connect('modern'), connect('legacy')])
  const up_sql = `select 1 -- ${'x'.repeat(200_000)}`
  const created = await Promise.all(
    [client, ...others].map((one, at) =>
      one.tool('create_migration', { name: `turn_${at}`, up_sql, down_sql: 'select 1' }),
    ),
  )
  expect(created.map((one) => one.version).sort()).toEqual([1000, 1001, 1002])
})
