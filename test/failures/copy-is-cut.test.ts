import { expect, test } from 'vitest'
import { createDatabase } from '../support/database.js'
import { type Fault, FaultProxy } from '../support/fault-proxy.js'
import { article } from '../support/news.js'
import { repeat, serve } from './serving.js'

const database = await createDatabase()

/** Large enough for a COPY of several pieces. */
const ARTICLES = 600
/** The protocol's letters: CopyInResponse, CopyData, CopyDone. */
const COPY = { response: 'G', data: 'd', done: 'c' } as const

const stored = async () =>
  (await database.query<{ n: number }>('select count(*)::int as n from catalyst.news_articles'))[0]
    ?.n ?? 0

const batch = () => ({
  articles: Array.from({ length: ARTICLES }, () => article({ snippet: 'x'.repeat(900) })),
  deduplicate: true,
})

/** Where the n-th message of a kind passes. */
function nth(type: string, n: number): Fault['at'] {
  let seen = 0
  return ({ message }) => message.type === type && ++seen === n
}

const STEPS: readonly (readonly [string, () => Fault['at']])[] = [
  ['before the server is ready for data', () => nth(COPY.response, 1)],
  ['at the first piece', () => nth(COPY.data, 1)],
  ['at the second piece', () => nth(COPY.data, 2)],
  ['at the third piece', () => nth(COPY.data, 3)],
  ['at the end of the data', () => nth(COPY.done, 1)],
]

test.each(
  STEPS.flatMap(([where, at]) =>
    (['end', 'reset'] as const).flatMap((how) =>
      [true, false].map((deliver) => ({ where, how, deliver, fault: at })),
    ),
  ),
)(
  'a batch cut $where ($how, delivered $deliver) is stored once',
  async ({ fault, how, deliver }) => {
    const at = fault()
    const proxy = await FaultProxy.forThisTest(database.url)
    const client = await (await serve(proxy.url(database.name))).connect()
    const before = await stored()
    let cuts = 0
    proxy.set({ at: (passing) => at(passing) && ++cuts > 0, deliver, how })
    const args = { ...batch(), idempotency_key: `${how}-${deliver}-${before}` }
    const { answer, refusals } = await repeat(client, 'persist_news_batch', args)
    expect(answer.new_articles + answer.duplicates).toBe(ARTICLES)
    expect(refusals.filter((code) => code !== 'unavailable')).toEqual([])
    expect(await stored()).toBe(before + answer.new_articles)
    expect(cuts).toBeGreaterThan(0)
  },
)

test('a disk that is full is no fault of the server', async () => {
  const client = await (await serve(database.url)).connect()
  await database.query(`
    create function out_of_disk() returns trigger language plpgsql as $$
    begin raise exception 'could not extend file' using errcode = '53100'; end $$`)
  await database.query(`
    create trigger out_of_disk before insert on catalyst.news_articles
      for each row execute function out_of_disk()`)
  const refusal = await client.refused('persist_news_batch', batch())
  expect(refusal).toMatchObject({ code: 'unavailable', retryable: true })
  await database.query('drop trigger out_of_disk on catalyst.news_articles')
  expect((await client.tool('persist_news_batch', batch())).total_processed).toBe(ARTICLES)
})
