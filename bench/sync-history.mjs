import { atMost, figure, short } from './lib/figure.mjs'
import { interleave, median, timed, verify } from './lib/measure.mjs'
import { newsBatch, SYMBOLS } from './lib/news.mjs'
import { addDetections, addPositions } from './lib/outcomes.mjs'
import { RawHttp } from './lib/raw-http.mjs'

/** What each sync has to do in a round, whatever the history. */
const NEW = 500
const SYNCS = {
  sync_catalyst_outcomes: ({ trades_processed }) => trades_processed === NEW,
  sync_source_metrics: ({ sources_updated }) => sources_updated > 0,
  sync_pattern_outcomes: ({ patterns_updated }) => patterns_updated === NEW,
}

/** Goal 10: the syncs of as many new positions and patterns on ten times the history. */
export async function run(bench) {
  const rounds = bench.size(9, 3)
  const history = bench.size(5_000, 1_000)
  const brief = await prepare(bench, history)
  const long = await prepare(bench, 10 * history)
  const syncs = async (side, round) => {
    await side.addNew(round)
    const times = {}
    for (const [name, isDone] of Object.entries(SYNCS)) {
      let answer
      times[name] = await timed(async () => {
        answer = await side.http.call(name, {})
      })
      verify(isDone(answer), `${name} answered ${JSON.stringify(answer).slice(0, 200)}`)
    }
    return times
  }
  const results = await interleave(rounds, {
    short: (round) => syncs(brief, round),
    long: (round) => syncs(long, round),
  })
  return Object.keys(SYNCS).map((name) =>
    figure({
      name: `${name}, 10 x history / 1 x`,
      values: results.map((result) => result.long[name] / result.short[name]),
      goal: atMost(1.2),
      note: `${NEW} new after ${history}: ${short(median(results.map((r) => r.short[name])))} ms, after ${10 * history}: ${short(median(results.map((r) => r.long[name])))} ms`,
    }),
  )
}

/** A served database in which so many positions and patterns have been learned from. */
async function prepare(bench, history) {
  const database = await bench.database()
  const server = await bench.serve(database)
  const http = new RawHttp(server.url, 1)
  bench.keep(http, () => http.close())
  const { articles } = newsBatch({ count: 2_000, batch: 0, salt: 5 })
  await http.call('persist_news_batch', { articles, deduplicate: true })
  const addNew = async (round, count = NEW) => {
    await addPositions(database, { count, round, symbols: SYMBOLS })
    await addDetections(database, { count, round, symbols: SYMBOLS })
  }
  await addNew('history', history)
  for (const name of Object.keys(SYNCS)) await toItsEnd(http, name)
  await database.query('vacuum analyze')
  return { http, addNew }
}

/** A history takes longer than a call waits. */
async function toItsEnd(http, name) {
  let job = await http.call(name, {})
  while (job.job_id && job.state !== 'succeeded') {
    job = await http.call('get_job', { job_id: job.job_id, wait_ms: 25_000 })
    verify(!job.error, `${name} failed: ${JSON.stringify(job.error)}`)
  }
}
