import fc from 'fast-check'
import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { minutesAfter, story, uniqueHeadline, uniqueSymbol } from './support.js'

const { client, database } = await startApp()
const RUNS = process.env.CATALYST_TEST_LONG ? 40 : 3
const START = '2024-08-12T04:00:00Z'
const SOURCES = ['Reuters', 'CNBC', 'Benzinga', 'Zacks', 'TipRanks', 'Some Wire']

interface Told {
  readonly headline: string
  readonly source: string
  readonly minutes: number
  readonly keywords?: readonly string[]
}

/** Stories of one matter, some of which contradict each other while others are like either of them. */
const headlines = fc
  .tuple(
    fc.constantFrom('beats', 'misses', 'sees', ''),
    fc.constantFrom('Q2', 'Q3', ''),
    fc.constantFrom('', ' by 5%', ' by 7%'),
    fc.subarray(['cloud', 'retail', 'chips', 'phones'], { maxLength: 2 }),
  )
  .map(([verb, quarter, by, words]) =>
    `Acme ${verb} ${quarter} profit estimates${by} ${words.join(' ')}`.replace(/ +/g, ' ').trim(),
  )
/** What the norm of a headline drops; without the percent sign a number says something else. */
const SPELLINGS = [
  (headline: string) => headline,
  (headline: string) => `UPDATE 1 - ${headline}`,
  (headline: string) => `${headline.replace('%', '')}!`,
]

/** A source tells a story again and again within a day. */
const stories = fc
  .uniqueArray(
    fc.record({
      headline: headlines,
      source: fc.constantFrom(...SOURCES),
      minutes: fc.integer({ min: 0, max: 48 * 60 }),
      again: fc.uniqueArray(fc.integer({ min: 1, max: 24 * 60 }), { maxLength: 2 }),
    }),
    { minLength: 5, maxLength: 8, selector: ({ headline, source }) => `${source} ${headline}` },
  )
  .map((all) =>
    all.flatMap(({ headline, source, minutes, again }) =>
      [0, ...again].map((later, i) => ({
        headline: SPELLINGS[i]?.(headline) ?? headline,
        source,
        minutes: minutes + later,
        keywords: [`told ${i}`],
      })),
    ),
  )

/** A company of its own for each symbol: a source that tells the same of another one repeats itself. */
const article = (symbol: string, { headline, source, minutes, keywords = [] }: Told) =>
  story({
    headline: headline.replace('Acme', symbol),
    source,
    symbol,
    published_timestamp: minutesAfter(START, minutes),
    catalyst_indicators: { keywords },
  })

const batch = (articles: unknown[], session_id?: string) =>
  client.tool('persist_news_batch', { articles, ...(session_id ? { session_id } : {}) })

/** So many stories that they are stored by COPY. */
const others = () =>
  Array.from({ length: 501 }, () => story({ headline: uniqueHeadline(), source: 'Another Wire' }))

/** Ways in which the same stories can come in. */
const deliveries = {
  async oneBatch(symbol: string, told: readonly Told[]) {
    await batch(told.map((one) => article(symbol, one)))
  },
  async oneByOne(symbol: string, told: readonly Told[]) {
    for (const one of told) await client.tool('persist_news_catalyst', article(symbol, one))
  },
  async twoBatches(symbol: string, told: readonly Told[]) {
    const half = Math.ceil(told.length / 2)
    await batch(told.slice(0, half).map((one) => article(symbol, one)))
    if (told.length > half) await batch(told.slice(half).map((one) => article(symbol, one)))
  },
  async allAtOnce(symbol: string, told: readonly Told[]) {
    await Promise.all(told.map((one) => client.tool('persist_news_catalyst', article(symbol, one))))
  },
  async throughCopy(symbol: string, told: readonly Told[]) {
    const half = Math.ceil(told.length / 2)
    await batch([...others(), ...told.slice(0, half).map((one) => article(symbol, one))])
    await batch([...told.slice(half).map((one) => article(symbol, one)), ...others()])
  },
  async inASession(symbol: string, told: readonly Told[]) {
    const [first, ...rest] = told
    if (first) await client.tool('persist_news_catalyst', article(symbol, first))
    const { session_id } = await client.tool('start_db_session')
    for (const one of rest) {
      await client.tool('persist_news_catalyst', { ...article(symbol, one), session_id })
    }
    await client.tool('end_db_session', { session_id, outcome: 'commit' })
  },
}

const TOLD = (source: string, article: string): string =>
  `${source}.name || ' ' || replace(${article}.headline_norm, lower(s.symbol), 'acme')`

/** What there is afterwards, without the names that arose. */
async function outcomeOf(symbol: string) {
  const rows = await database.query<{ told: string; cluster_id: string | null; figures: unknown }>(
    `select ${TOLD('o', 'a')} as told, a.cluster_id,
       json_build_array(a.update_count, c.article_count, c.source_count, c.avg_tier,
         c.coordination_score, c.first_published, c.last_published, c.keywords) as figures
     from catalyst.news_articles a
     join catalyst.securities s using (security_id)
     join catalyst.news_sources o using (source_id)
     left join catalyst.narrative_clusters c using (cluster_id)
     where s.symbol = $1 order by told`,
    [symbol],
  )
  const clusters = new Map<string, string[]>()
  for (const { told, cluster_id } of rows) {
    const name = cluster_id ?? told
    clusters.set(name, [...(clusters.get(name) ?? []), told])
  }
  const confirmations = await database.query(
    `select ${TOLD('o', 'a')} as told, ${TOLD('b', 'y')} as by,
       f.delay_minutes::float8 as delay
     from catalyst.news_confirmations f
     join catalyst.news_articles a on a.news_id = f.news_id
     join catalyst.news_sources o on o.source_id = a.source_id
     join catalyst.news_articles y on y.news_id = f.confirmed_by_news_id
     join catalyst.news_sources b on b.source_id = y.source_id
     join catalyst.securities s on s.security_id = a.security_id
     where s.symbol = $1 order by told, by`,
    [symbol],
  )
  const figures = rows.map(({ told, figures }) => [told, figures])
  return {
    clusters: [...clusters.values()].map((told) => told.join(' | ')).sort(),
    confirmations,
    figures,
  }
}

/** What has been appended to the totals of sources since the last time this was asked. */
async function activity() {
  const rows = await database.query<{ source: string }>(
    `with taken as (delete from catalyst.source_activity returning *)
     select o.name as source, sum(t.articles)::int as articles, sum(t.duplicates)::int as duplicates,
       sum(t.confirmed)::int as confirmed, sum(t.lead_minutes)::float8 as lead_minutes
     from taken t join catalyst.news_sources o using (source_id)
     where o.name <> 'Another Wire'
     group by 1 order by 1`,
  )
  return rows
}

test('any order and any split of the same stories ends in the same clusters and confirmations', {
  timeout: 900_000,
}, async () => {
  let clustered = 0
  await fc.assert(
    fc.asyncProperty(stories, fc.infiniteStream(fc.nat()), async (told, numbers) => {
      const shuffled = () =>
        told
          .map((one) => ({ one, at: numbers.next().value as number }))
          .sort((a, b) => a.at - b.at)
          .map(({ one }) => one)
      const symbol = uniqueSymbol()
      await activity()
      await deliveries.oneBatch(symbol, told)
      const expected = await outcomeOf(symbol)
      const totals = await activity()
      clustered += expected.figures.length - expected.clusters.length
      for (const deliver of Object.values(deliveries)) {
        const other = uniqueSymbol()
        await deliver(other, shuffled())
        expect(await outcomeOf(other)).toEqual(expected)
        expect(await activity()).toEqual(totals)
      }
    }),
    { numRuns: RUNS, endOnFailure: true },
  )
  expect(clustered).toBeGreaterThan(0)
})

const clusterOf = async (symbol: string, headline: string) => {
  const { items } = await client.resource(`catalyst://news?symbol=${symbol}`)
  return items.find(
    (item: { headline: string }) => item.headline === headline.replace('Acme', symbol),
  )?.cluster_id
}

test('a story that bridges two clusters joins them, and what it is like is answered for all', async () => {
  const symbol = uniqueSymbol()
  const [left, right] = ['Acme plans new Ohio battery site', 'Acme battery site with state grant']
  const bridge = 'Acme plans Ohio battery site with state grant'
  await client.tool(
    'persist_news_catalyst',
    article(symbol, { headline: left, source: 'Zacks', minutes: 0 }),
  )
  await client.tool(
    'persist_news_catalyst',
    article(symbol, { headline: right, source: 'CNBC', minutes: 5 }),
  )
  expect(await clusterOf(symbol, left)).not.toBe(await clusterOf(symbol, right))
  await client.tool(
    'persist_news_catalyst',
    article(symbol, { headline: bridge, source: 'Reuters', minutes: 9 }),
  )
  const names = await Promise.all([left, right, bridge].map((one) => clusterOf(symbol, one)))
  expect(new Set(names).size).toBe(1)
  const rows = await database.query(
    `select article_count from catalyst.narrative_clusters c
     join catalyst.securities s using (security_id) where s.symbol = $1`,
    [symbol],
  )
  expect(rows).toEqual([{ article_count: 3 }])
})

test('a story that is like both of two opposites joins neither to the other', async () => {
  for (const order of [
    [0, 1, 2],
    [2, 1, 0],
    [1, 2, 0],
  ]) {
    const symbol = uniqueSymbol()
    const told = [
      'Acme beats Q2 profit estimates',
      'Acme misses Q2 profit estimates',
      'Acme Q2 profit estimates',
    ]
    for (const i of order) {
      const one = { headline: told[i] ?? '', source: SOURCES[i] ?? '', minutes: i }
      await client.tool('persist_news_catalyst', article(symbol, one))
    }
    const [beats, misses] = await Promise.all(told.map((one) => clusterOf(symbol, one)))
    expect(beats).not.toBe(misses)
    const { confirmations } = await outcomeOf(symbol)
    expect(confirmations).toEqual([])
  }
})
