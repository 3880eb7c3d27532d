import pg from 'pg'
import { afterEach, describe, expect, test } from 'vitest'
import { startApp, type TestClient } from '../support/app.js'
import { waitFor } from '../support/wait-for.js'
import { minutesAfter, story, uniqueHeadline, uniqueSymbol } from './support.js'

const { client, connect, database } = await startApp()
const other = await connect('legacy')
const START = '2024-08-12T14:00:00Z'

type Isolation = 'read_committed' | 'repeatable_read' | 'serializable'

const leftOpen = new Set<(outcome: string) => Promise<unknown>>()
afterEach(async () => {
  const ends = [...leftOpen]
  leftOpen.clear()
  await Promise.all(ends.map((end) => end('rollback')))
})

/** A session whose transaction stays open until it is told to commit. */
async function openSession(owner: TestClient, isolation_level: Isolation = 'read_committed') {
  const { session_id } = await owner.tool('start_db_session', { isolation_level })
  const end = (outcome: string) => owner.tool('end_db_session', { session_id, outcome })
  leftOpen.add(end)
  return {
    persist: (article: Record<string, unknown>) =>
      owner.tool('persist_news_catalyst', { ...article, session_id }),
    persistBatch: (articles: unknown[], deduplicate = true) =>
      owner.tool('persist_news_batch', { articles, deduplicate, session_id }),
    refused: (article: Record<string, unknown>) =>
      owner.refused('persist_news_catalyst', { ...article, session_id }),
    isOpen: async () =>
      (await owner.resource(`db/sessions/${session_id}`)).transaction_state === 'active',
    commit: async () => {
      await end('commit')
      leftOpen.delete(end)
    },
    refusedCommit: () => owner.refused('end_db_session', { session_id, outcome: 'commit' }),
  }
}

const persist = (article: Record<string, unknown>) => other.tool('persist_news_catalyst', article)
const storedOf = (symbol: string) =>
  database.query(
    `select a.news_id, a.cluster_id, a.update_count
     from catalyst.news_articles a join catalyst.securities s using (security_id)
     where s.symbol = $1`,
    [symbol],
  )
const lockWaiters = async (): Promise<number> => {
  const [row] = await database.query(
    `select count(*)::int as n from pg_stat_activity
     where datname = current_database() and wait_event_type = 'Lock'`,
  )
  return row?.n
}
const confirmedOf = async (source: string): Promise<number> => {
  const [row] = await database.query(
    'select confirmed from catalyst.source_totals where source_name = $1',
    [source],
  )
  return row?.confirmed
}
/** A symbol that is known: a session with a snapshot would hold up whoever uses one it names first. */
const knownSymbol = async (): Promise<string> => {
  const symbol = uniqueSymbol()
  await database.query('insert into catalyst.securities (symbol) values ($1)', [symbol])
  return symbol
}
const told = (symbol: string, source: string, headline: string, minutes = 0) =>
  story({ symbol, source, headline, published_timestamp: minutesAfter(START, minutes) })
const RETRYABLE = { code: 'conflict', retryable: true }

test.each([
  ['read_committed', 'first to name a source and a symbol'],
  ['serializable', 'with a source and a symbol that are known'],
] as const)('an open %s session, %s, holds up nobody who uses them', async (isolation, _) => {
  const isFirst = isolation === 'read_committed'
  const symbol = isFirst ? uniqueSymbol() : await knownSymbol()
  const source = isFirst ? uniqueHeadline() : 'CNBC'
  const headline = uniqueHeadline()
  const session = await openSession(client, isolation)
  await session.persist(told(symbol, source, headline))
  const others = [
    told(symbol, source, uniqueHeadline()),
    told(symbol, source, headline, 1),
    told(symbol, 'Benzinga', headline),
  ]
  for (const article of others) expect((await persist(article)).duplicate).toBe(false)
  expect(await session.isOpen()).toBe(true)
  expect(await storedOf(symbol)).toHaveLength(3)
})

test('a story told by two sources, one in an open session, ends in one cluster', async () => {
  const [symbol, headline] = [uniqueSymbol(), uniqueHeadline()]
  const session = await openSession(client)
  const held = await session.persist(told(symbol, 'Benzinga', headline))
  const { cluster_id } = await persist(told(symbol, 'Bloomberg', headline, 30))
  expect(held.cluster_id).not.toBe(cluster_id)
  const confirmedBefore = await confirmedOf('Benzinga')
  await session.commit()
  const rows = await storedOf(symbol)
  expect(rows).toHaveLength(2)
  expect(new Set(rows.map((row) => row.cluster_id)).size).toBe(1)
  expect(rows[0]?.cluster_id).toMatch(/^clu_/)
  const [cluster] = await database.query(
    'select article_count, source_count from catalyst.narrative_clusters where cluster_id = $1',
    [rows[0]?.cluster_id],
  )
  expect(cluster).toEqual({ article_count: 2, source_count: 2 })
  const confirmations = await database.query(
    'select delay_minutes::int as delay from catalyst.news_confirmations where news_id = $1',
    [held.news_id],
  )
  expect(confirmations).toEqual([{ delay: 30 }])
  expect(await confirmedOf('Benzinga')).toBe(confirmedBefore + 1)
})

test('an open session that joined a cluster or repeated a story holds up nobody who does', async () => {
  const [symbol, headline] = [uniqueSymbol(), uniqueHeadline()]
  const first = await persist(told(symbol, 'Reuters', headline))
  const session = await openSession(client)
  const { cluster_id } = await session.persist(told(symbol, 'Zacks', headline))
  const mentioned = uniqueSymbol()
  for (const about of [symbol, mentioned]) {
    await session.persist(told(about, 'Reuters', headline, 1))
  }
  const joined = await persist(told(symbol, 'CNBC', headline))
  expect((await persist(told(symbol, 'Reuters', headline, 2))).duplicate).toBe(true)
  expect(await session.isOpen()).toBe(true)
  expect(joined.cluster_id).toBe(cluster_id)
  await session.commit()
  const rows = await storedOf(symbol)
  expect(rows.map((row) => row.cluster_id)).toEqual([cluster_id, cluster_id, cluster_id])
  expect(rows.find(({ news_id }) => news_id === first.news_id)?.update_count).toBe(3)
  const mentions = await database.query(
    `select s.symbol from catalyst.news_securities m join catalyst.securities s using (security_id)
     where m.news_id = $1`,
    [first.news_id],
  )
  expect(mentions).toEqual([{ symbol: mentioned }])
})

test('operations of one session see the clusters and the stories of those before', async () => {
  const [symbol, headline] = [uniqueSymbol(), uniqueHeadline()]
  const session = await openSession(client)
  const first = await session.persist(told(symbol, 'Zacks', headline, 5))
  const second = await session.persist(told(symbol, 'CNBC', `${headline} today`))
  const third = await session.persist(told(symbol, 'Benzinga', `${headline} today`, 9))
  expect(second.cluster_id).toBe(first.news_id.replace('nws_', 'clu_'))
  expect(third.cluster_id).toBe(second.cluster_id)
  expect((await session.persist(told(symbol, 'Zacks', headline, 7))).news_id).toBe(first.news_id)
  await session.persistBatch([told(symbol, 'Zacks', headline, 8)], false)
  await session.commit()
  const rows = await storedOf(symbol)
  expect(rows).toHaveLength(4)
  expect(new Set(rows.map(({ cluster_id }) => cluster_id))).toEqual(new Set([second.cluster_id]))
  expect(rows.find(({ news_id }) => news_id === first.news_id)?.update_count).toBe(1)
})

test.each(['read_committed', 'repeatable_read', 'serializable'] as const)(
  'the same news of one source, committed meanwhile, makes the commit of a %s session a retryable conflict',
  async (isolation) => {
    const [symbol, headline] = [await knownSymbol(), uniqueHeadline()]
    const session = await openSession(client, isolation)
    const article = told(symbol, 'Reuters', headline)
    expect((await session.persist(article)).duplicate).toBe(false)
    const { news_id } = await persist(told(symbol, 'Reuters', headline, 1))
    expect(await session.refusedCommit()).toMatchObject(RETRYABLE)
    expect(await storedOf(symbol)).toHaveLength(1)
    expect(await session.persist(article)).toMatchObject({ duplicate: true, news_id })
    await session.commit()
    expect(await storedOf(symbol)).toMatchObject([{ news_id, update_count: 1 }])
  },
)

describe.each(['repeatable_read', 'serializable'] as const)('a %s session', (isolation) => {
  /** A session that has its snapshot. */
  const openWithSnapshot = async (symbol: string) => {
    const session = await openSession(client, isolation)
    await session.persist(told(symbol, 'Reuters', uniqueHeadline()))
    return session
  }

  test('meets a row it cannot see in a retryable conflict; the next time it is a duplicate', async () => {
    const symbol = await knownSymbol()
    const session = await openWithSnapshot(symbol)
    const article = told(symbol, 'Reuters', uniqueHeadline())
    const { news_id } = await persist(article)
    expect(await session.refused(article)).toMatchObject(RETRYABLE)
    expect(await session.persist(article)).toMatchObject({ duplicate: true, news_id })
    await session.commit()
  })

  test('meets a symbol it cannot see in a retryable conflict; the next time it is known', async () => {
    const session = await openWithSnapshot(await knownSymbol())
    const article = told(uniqueSymbol(), 'Reuters', uniqueHeadline())
    await persist({ ...article, headline: uniqueHeadline() })
    expect(await session.refused(article)).toMatchObject(RETRYABLE)
    expect((await session.persist(article)).duplicate).toBe(false)
    await session.commit()
  })

  test('meets a similar story it cannot see in a retryable conflict; the next time it joins', async () => {
    const article = told(await knownSymbol(), 'Zacks', uniqueHeadline())
    const session = await openSession(client, isolation)
    await session.persist(article)
    await persist({ ...article, source: 'CNBC' })
    expect(await session.refusedCommit()).toMatchObject(RETRYABLE)
    expect((await session.persist(article)).cluster_id).toMatch(/^clu_/)
    await session.commit()
  })

  test('meets an earlier telling it cannot see in a retryable conflict', async () => {
    const [symbol, headline] = [await knownSymbol(), uniqueHeadline()]
    await persist(told(symbol, 'Benzinga', headline, 20 * 60))
    const session = await openSession(client, isolation)
    const later = told(symbol, 'Zacks', headline, 30 * 60)
    await session.persist(later)
    expect((await persist(told(symbol, 'Benzinga', headline))).duplicate).toBe(true)
    expect(await session.refusedCommit()).toMatchObject(RETRYABLE)
    await session.persist(later)
    await session.commit()
    const rows = await storedOf(symbol)
    expect(rows.map(({ cluster_id }) => cluster_id)).toEqual([null, null])
  })

  test('commits a cluster of stories it can see', async () => {
    const article = told(uniqueSymbol(), 'Zacks', uniqueHeadline())
    await persist(article)
    const session = await openSession(client, isolation)
    const { cluster_id } = await session.persist({ ...article, source: 'CNBC' })
    await session.commit()
    expect(await storedOf(article.symbol)).toMatchObject([{ cluster_id }, { cluster_id }])
  })
})

test('sessions with stories of the same symbols, in opposite order, all commit', async () => {
  const symbols = [uniqueSymbol(), uniqueSymbol()]
  const headlines = [uniqueHeadline(), uniqueHeadline()]
  const sources = ['Zacks', 'CNBC', 'Benzinga', 'Reuters']
  const sessions = await Promise.all(
    sources.map(async (source, i) => {
      const session = await openSession(i % 2 === 0 ? client : other)
      for (const at of i % 2 === 0 ? [0, 1] : [1, 0]) {
        await session.persist(told(symbols[at] ?? '', source, headlines[at] ?? ''))
      }
      return session
    }),
  )
  await Promise.all(sessions.map((session) => session.commit()))
  for (const symbol of symbols) {
    const rows = await storedOf(symbol)
    expect(rows).toHaveLength(4)
    expect(new Set(rows.map(({ cluster_id }) => cluster_id)).size).toBe(1)
  }
})

test('commits with the same news settle one after the other', async () => {
  const [symbol, headline] = [uniqueSymbol(), uniqueHeadline()]
  const [first, second] = [await openSession(client), await openSession(other)]
  await first.persist(told(symbol, 'Zacks', headline))
  await second.persist(told(symbol, 'CNBC', headline))
  await persist(told(symbol, 'Benzinga', headline))
  const blocker = new pg.Client({ connectionString: database.url })
  await blocker.connect()
  await blocker.query('begin')
  await blocker.query('lock table catalyst.narrative_clusters in exclusive mode')
  const commits = Promise.all([first.commit(), second.commit()])
  await waitFor(async () => (await lockWaiters()) === 2)
  await blocker.end()
  await commits
  const counts = await database.query(
    `select article_count, source_count from catalyst.narrative_clusters c
     join catalyst.securities s using (security_id) where s.symbol = $1`,
    [symbol],
  )
  expect(counts).toEqual([{ article_count: 3, source_count: 3 }])
})

test('the very same story waits for an open session only briefly, and holds up nobody else', async () => {
  const [symbol, headline] = [uniqueSymbol(), uniqueHeadline()]
  const session = await openSession(client)
  const article = told(symbol, 'Reuters', headline)
  await session.persist(article)
  let isRefused = false
  const refused = other.refused('persist_news_catalyst', article).finally(() => {
    isRefused = true
  })
  await waitFor(async () => isRefused || (await lockWaiters()) === 1)
  expect((await persist(told(symbol, 'Reuters', uniqueHeadline()))).duplicate).toBe(false)
  expect(await refused).toMatchObject(RETRYABLE)
  expect(await session.isOpen()).toBe(true)
  await session.commit()
  expect((await persist(article)).duplicate).toBe(true)
})

test('an operation that failed leaves nothing to settle', async () => {
  const [symbol, headline] = [uniqueSymbol(), uniqueHeadline()]
  const first = await openSession(client)
  const second = await openSession(other)
  const article = told(symbol, 'Reuters', headline)
  await first.persist(article)
  const refused = second.refused(article)
  await waitFor(async () => (await lockWaiters()) === 1)
  await first.commit()
  expect(await refused).toMatchObject(RETRYABLE)
  expect((await second.persist(article)).duplicate).toBe(true)
  await second.commit()
  expect(await database.query('select * from catalyst.news_held')).toEqual([])
})

test('a large batch in a session is stored and deduplicated as elsewhere', async () => {
  const symbol = uniqueSymbol()
  const articles = Array.from({ length: 2_500 }, (_, i) =>
    told(symbol, 'Reuters', uniqueHeadline(), i % 600),
  )
  const session = await openSession(client)
  expect(await session.persistBatch([...articles, articles[0]])).toMatchObject({
    new_articles: 2_500,
    duplicates: 1,
  })
  await session.commit()
  expect(await storedOf(symbol)).toHaveLength(2_500)
})
