import pg from 'pg'
import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { article } from '../support/news.js'

const { client, database } = await startApp()

const count = async (): Promise<number> => {
  const [row] = await database.query<{ n: number }>(
    'select count(*)::int as n from catalyst.news_articles',
  )
  return row?.n ?? 0
}

test('the same key with the same arguments gives the first answer again and has no second effect', async () => {
  const call = { ...article(), idempotency_key: 'first' }
  const first = await client.tool('persist_news_catalyst', call)
  const before = await count()
  const second = await client.tool('persist_news_catalyst', call)
  expect(second).toEqual({ ...first, replayed: true })
  expect(first.replayed).toBeUndefined()
  expect(await count()).toBe(before)
})

test('a key does not depend on the order of the arguments', async () => {
  const call = article({ idempotency_key: 'order' })
  const first = await client.tool('persist_news_catalyst', call)
  const reordered = Object.fromEntries(Object.entries(call).reverse())
  expect(await client.tool('persist_news_catalyst', reordered)).toEqual({
    ...first,
    replayed: true,
  })
})

test('the same key with other arguments, or for another tool, is a conflict and writes nothing', async () => {
  await client.tool('persist_news_catalyst', article({ idempotency_key: 'taken' }))
  const before = await count()
  expect(
    await client.refused('persist_news_catalyst', article({ idempotency_key: 'taken' })),
  ).toMatchObject({ code: 'conflict', hint: expect.stringContaining('new key') })
  expect(
    await client.refused('persist_news_batch', {
      articles: [article()],
      deduplicate: true,
      idempotency_key: 'taken',
    }),
  ).toMatchObject({ code: 'conflict' })
  expect(await count()).toBe(before)
})

test('a call that failed leaves its key free', async () => {
  const refused = article({ symbol: 'no symbol at all', idempotency_key: 'free' })
  await client.refused('persist_news_catalyst', refused)
  const story = article({ idempotency_key: 'free' })
  expect((await client.tool('persist_news_catalyst', story)).duplicate).toBe(false)
})

test('calls with one key at the same time: one has the effect, the others wait and get its answer', async () => {
  const call = { ...article(), idempotency_key: 'together' }
  const before = await count()
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => client.tool('persist_news_catalyst', call)),
  )
  expect(new Set(answers.map(({ news_id }) => news_id)).size).toBe(1)
  expect(answers.filter(({ replayed }) => replayed).length).toBe(7)
  expect(await count()).toBe(before + 1)
})

test('a key in flight elsewhere is waited for, and free again when that transaction rolls back', async () => {
  const other = new pg.Client({ connectionString: database.url })
  await other.connect()
  await other.query('begin')
  await other.query(
    `insert into catalyst.idempotency_keys (principal, key, tool, arguments_sha256)
     values ('local', 'in flight', 'x', '')`,
  )
  await other.query(
    `update catalyst.idempotency_keys set key = 'in-flight' where key = 'in flight'`,
  )
  const waiting = client.tool('persist_news_catalyst', article({ idempotency_key: 'in-flight' }))
  await other.query('rollback')
  expect((await waiting).replayed).toBeUndefined()
  await other.end()
})

test.for(['', 'has space', 'ünïcode', 'x'.repeat(256), 'nul\0'])(
  'the key %j is refused by name',
  async (idempotency_key) => {
    const error = await client.refused('persist_news_catalyst', article({ idempotency_key }))
    expect(error).toMatchObject({ code: 'invalid_input' })
    expect(error.message).toContain('idempotency_key')
  },
)
