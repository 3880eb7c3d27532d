import { setTimeout as delay } from 'node:timers/promises'
import { Child } from './lib/child.mjs'
import { atMost, figure, short } from './lib/figure.mjs'
import { interleave, median, quantile, timedEach, verify } from './lib/measure.mjs'
import { newsBatch, singleStories } from './lib/news.mjs'
import { persistThrough } from './lib/persist-batch.mjs'
import { RawHttp } from './lib/raw-http.mjs'
import { Writers } from './lib/writers.mjs'

const POLLER = new URL('./lib/poller.mjs', import.meta.url)
/** Without so many looks a p99 is one unlucky look. */
const LEAST_LOOKS = 100
const ABANDONED = 100
/** Transactions left open in them: all but one of the connections that sessions may hold. */
const LEFT_OPEN = 4

/** Goal 5: how long db/status takes while others write, against how long it takes when nobody does. */
export async function run(bench) {
  const rounds = bench.size(5, 2)
  const seconds = bench.size(6, 3)
  const [singles, batches, abandoned] = await Promise.all([1, 2, 3].map(() => bench.database()))
  return [
    await whileWriting(bench, {
      name: 'db/status p99, 32 writers / idle',
      database: singles,
      rounds,
      seconds,
      load: async (server) => {
        const writers = new Writers(server, singles)
        bench.keep(writers, () => writers.close())
        return (turn) => writers.write(singleStories({ count: 320, batch: turn, salt: 5 }))
      },
    }),
    await whileWriting(bench, {
      name: 'db/status p99, batches of 10000 / idle',
      database: batches,
      rounds,
      seconds,
      load: async (server) => {
        const client = await server.connect()
        bench.keep(client, () => client.close())
        return async (turn) => {
          const { articles, added } = newsBatch({ count: 10_000, batch: turn, salt: 5 })
          const answer = await persistThrough(client, articles)
          verify(answer.new_articles === added, JSON.stringify(answer))
        }
      },
    }),
    await whileWriting(bench, {
      name: `db/status p99, ${ABANDONED} sessions abandoned / idle`,
      database: abandoned,
      rounds,
      seconds,
      env: { CATALYST_SESSION_IDLE_SECONDS: '1' },
      load: async (server) => {
        const http = new RawHttp(server.url, 8)
        bench.keep(http, () => http.close())
        return (turn) => abandonSessions(http, turn)
      },
    }),
  ]
}

/** Opens sessions, writes in as many as may hold a transaction, and waits until all are reaped. */
async function abandonSessions(http, turn) {
  const stories = singleStories({ count: LEFT_OPEN, batch: turn, salt: 6 })
  await timedEach(ABANDONED, 8, async (i) => {
    const { session_id } = await http.call('start_db_session', {})
    const story = stories[i]
    if (story) await http.call('persist_news_catalyst', { ...story, session_id })
  })
  for (;;) {
    const { sessions } = await http.read('catalyst://db/sessions/active')
    if (sessions.length === 0) return
    await delay(100)
  }
}

async function whileWriting(bench, { name, database, rounds, seconds, load, env = {} }) {
  const server = await bench.serve(database, env)
  const poller = new Child(POLLER, [server.url])
  bench.keep(poller, () => poller.close())
  const write = await load(server)
  let turn = 0
  const looks = async (work) => {
    await poller.ask('times')
    const until = performance.now() + seconds * 1_000
    do await work()
    while (performance.now() < until)
    const times = await poller.ask('times')
    verify(times.length >= bench.size(LEAST_LOOKS, 10), `only ${times.length} looks`)
    return times
  }
  const sides = {
    idle: () => looks(() => delay(seconds * 1_000)),
    loaded: () => looks(() => write(turn++)),
  }
  await write(turn++)
  const results = await interleave(rounds, sides)
  await poller.close()
  await server.stop()
  const p99 = (times) => quantile(times, 0.99)
  const all = (side) => results.flatMap((result) => result[side])
  const told = (side) =>
    `${side} p50 ${short(median(all(side)))} p99 ${short(p99(all(side)))} max ${short(Math.max(...all(side)))} ms`
  return figure({
    name,
    values: results.map(({ idle, loaded }) => p99(loaded) / p99(idle)),
    goal: atMost(3),
    note: `${told('loaded')}; ${told('idle')}`,
  })
}
