import { join } from 'node:path'
import { CopyLimit } from './copy-limit.mjs'
import { atLeast, figure, short } from './figure.mjs'
import { interleave, median, timed, verify } from './measure.mjs'
import { newsBatch } from './news.mjs'

/**
 * persist_news_batch through the official client over HTTP against one COPY of the rows it stored.
 * The COPY of a round takes the rows of the round before, so that either side may go first.
 */
export async function persistBatch(bench, { name, count, rounds, goal }) {
  const database = await bench.database()
  const server = await bench.serve(database)
  const client = await server.connect()
  bench.keep(client, () => client.close())
  const limit = await CopyLimit.open(database)
  bench.keep(limit, () => limit.close())
  const stored = { ours: 0, limit: 0 }
  const file = (batch) => join(bench.directory, `${name}-${batch}.copy`)

  const persist = async (batch) => {
    const { articles, added, repeats } = newsBatch({ count, batch })
    let answer
    const ms = await timed(async () => {
      answer = await persistThrough(client, articles)
    })
    verify(answer.new_articles === added && answer.duplicates === repeats, JSON.stringify(answer))
    stored.ours += added
    verify((await database.count('catalyst.news_articles')) === stored.ours, 'rows are missing')
    return ms
  }
  const copy = async (batch) => {
    const ms = await limit.load(file(batch))
    stored.limit += newsBatch({ count, batch }).added
    verify((await limit.count()) === stored.limit, 'rows of the COPY are missing')
    return ms
  }

  const dump = async (batch) => verify((await limit.dump(file(batch))) > 0, 'nothing to copy')
  await persist(0)
  await dump(0)
  await copy(0)
  await persist(1)
  await dump(1)
  const results = await interleave(
    rounds,
    { ours: (round) => persist(round + 2), limit: (round) => copy(round + 1) },
    (round) => dump(round + 2),
  )
  const ours = median(results.map((result) => result.ours))
  const theirs = median(results.map((result) => result.limit))
  return [
    figure({
      name: `${name} / ${limit.name}`,
      values: results.map((result) => result.limit / result.ours),
      goal: atLeast(goal),
      note: `${count} articles in ${short(ours)} ms, their ${count - count / 10} rows by COPY in ${short(theirs)} ms`,
    }),
  ]
}

/** One batch through an official client; answers its structured content. */
export async function persistThrough(client, articles) {
  const args = { articles, deduplicate: true }
  const result = await client.callTool({ name: 'persist_news_batch', arguments: args })
  verify(!result.isError, JSON.stringify(result.content))
  return result.structuredContent
}
