import { setTimeout as delay } from 'node:timers/promises'
import { atMost, figure } from './lib/figure.mjs'
import { verify } from './lib/measure.mjs'
import { newsBatch, singleStories } from './lib/news.mjs'
import { persistThrough } from './lib/persist-batch.mjs'
import { RawHttp } from './lib/raw-http.mjs'
import { Writers } from './lib/writers.mjs'

const MB = 1_000_000
const SETTLE_MS = 3_000

/** Goal 14: memory of a server that has answered once, and of one that has run goals 1 and 4. */
export async function run(bench) {
  const [idle, busy] = [[], []]
  for (let round = 0; round < bench.size(3, 1); round++) {
    const { before, after } = await residentMemory(bench)
    idle.push(before / MB)
    busy.push(after / MB)
  }
  return [
    figure({ name: 'resident memory, idle', unit: 'MB', values: idle, goal: atMost(110) }),
    figure({
      name: 'resident memory after goals 1 and 4',
      unit: 'MB',
      values: busy,
      goal: atMost(200),
    }),
  ]
}

async function residentMemory(bench) {
  const database = await bench.database()
  const server = await bench.serve(database)
  const http = new RawHttp(server.url, 1)
  bench.keep(http, () => http.close())
  verify((await http.read('catalyst://db/status')).postgresql.status === 'up', 'no answer')
  await delay(SETTLE_MS)
  const before = (await server.usage()).rssBytes
  const writers = new Writers(server, database)
  bench.keep(writers, () => writers.close())
  await writers.write(singleStories({ count: bench.size(3_200, 320), batch: 0, salt: 8 }))
  const client = await server.connect()
  bench.keep(client, () => client.close())
  for (let batch = 1; batch <= bench.size(6, 2); batch++) {
    const { articles, added } = newsBatch({ count: 10_000, batch, salt: 8 })
    const answer = await persistThrough(client, articles)
    verify(answer.new_articles === added, JSON.stringify(answer))
  }
  await delay(SETTLE_MS)
  const after = (await server.usage()).rssBytes
  await client.close()
  await server.stop()
  return { before, after }
}
