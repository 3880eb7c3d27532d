import pg from 'pg'
import { atMost, figure, short } from './lib/figure.mjs'
import { interleave, median, timedEach, verify } from './lib/measure.mjs'
import { singleStories } from './lib/news.mjs'
import { recordTransactions, replay } from './lib/recorded.mjs'

const ARTICLES = 'catalyst.news_articles'

/** Goal 3: one persist_news_catalyst after the other over stdio against its SQL through bare pg. */
export async function run(bench) {
  const rounds = bench.size(11, 3)
  const calls = bench.size(200, 50)
  const batches = rounds + 1
  const storiesOf = (batch) => singleStories({ count: calls, batch, salt: 1 })
  const recorded = await recordTransactions(
    bench,
    all(batches, (batch) => singleStories({ count: calls, batch, salt: 2 })),
  )
  const [ours, bare] = [await bench.database(), await bench.database()]
  const server = await bench.stdio(ours)
  const client = new pg.Client({ connectionString: bare.url })
  await client.connect()
  bench.keep(client, () => client.end())

  const persist = async (batch) => {
    const stories = storiesOf(batch)
    const times = await timedEach(calls, 1, async (i) => {
      const { structuredContent } = await server.call('persist_news_catalyst', stories[i])
      verify(structuredContent.duplicate === false, 'a new story was taken for a known one')
    })
    verify((await ours.count(ARTICLES)) === (batch + 1) * calls, 'rows are missing')
    return times
  }
  const replayed = async (batch) => {
    const times = await timedEach(calls, 1, (i) => replay(client, recorded[batch * calls + i]))
    verify((await bare.count(ARTICLES)) === (batch + 1) * calls, 'rows of the replay are missing')
    return times
  }

  await persist(0)
  await replayed(0)
  const results = await interleave(rounds, {
    ours: (round) => persist(round + 1),
    bare: (round) => replayed(round + 1),
  })
  const p50 = (side) => short(median(results.flatMap((result) => result[side])))
  return [
    figure({
      name: 'persist_news_catalyst over stdio / bare pg',
      values: results.map((result) => median(result.ours) / median(result.bare)),
      goal: atMost(1.5),
      note: `p50 ${p50('ours')} ms, the same ${recorded[0].length} statements ${p50('bare')} ms`,
    }),
  ]
}

const all = (batches, storiesOf) => Array.from({ length: batches }, (_, i) => storiesOf(i)).flat()
