import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { article } from '../support/news.js'
import { waitFor } from '../support/wait-for.js'
import { Bench, benchPart } from './bench.js'

const bench = new Bench()
const app = await startApp({ parts: [benchPart(bench)] })
const other = await startApp({ database: app.database, parts: [benchPart(bench)] })

test('calls with one key, on any server, are one job and get its one answer', async () => {
  const args = { label: 'joined', idempotency_key: 'k1' }
  const calls = [app, other, app, other].map(({ client }) => client.tool('run_held', args))
  await waitFor(() => bench.isRunning('joined'))
  bench.open('joined')
  const answers = await Promise.all(calls)
  expect(answers.filter(({ replayed }) => replayed)).toHaveLength(3)
  expect(new Set(answers.map(({ starts }) => starts))).toEqual(new Set([1]))
  expect(await other.client.tool('run_held', args)).toEqual({
    label: 'joined',
    starts: 1,
    replayed: true,
  })
  expect(bench.startsOf('joined')).toBe(1)
})

test('one key for other arguments, or another tool, is a conflict', async () => {
  bench.open('first')
  await app.client.tool('run_held', { label: 'first', idempotency_key: 'k2' })
  for (const [tool, label] of [
    ['run_held', 'second'],
    ['run_once', 'first'],
  ] as const) {
    expect(await app.client.refused(tool, { label, idempotency_key: 'k2' })).toMatchObject({
      code: 'conflict',
    })
  }
})

test('a key of a persisting tool is none for a job tool, nor the other way round', async () => {
  bench.open('across')
  await app.client.tool('persist_news_catalyst', { ...article(), idempotency_key: 'k4' })
  expect(
    await app.client.refused('run_held', { label: 'across', idempotency_key: 'k4' }),
  ).toMatchObject({ code: 'conflict' })
  await app.client.tool('run_held', { label: 'across', idempotency_key: 'k5' })
  expect(
    await app.client.refused('persist_news_catalyst', { ...article(), idempotency_key: 'k5' }),
  ).toMatchObject({ code: 'conflict' })
  expect(bench.startsOf('across')).toBe(1)
})

test('what failed may be tried again with its key', async () => {
  const args = { expected: true, idempotency_key: 'k3' }
  await app.client.refused('run_refused', args)
  await app.client.refused('run_refused', args)
  const jobs = await app.database.query(
    `select state from catalyst.jobs where tool = 'run_refused'`,
  )
  expect(jobs).toEqual([{ state: 'failed' }, { state: 'failed' }])
})
