import pg from 'pg'
import { atMost, figure, short } from './lib/figure.mjs'
import { interleave, median, timedEach, verify } from './lib/measure.mjs'
import { recordTransactions, replay } from './lib/recorded.mjs'
import { databaseFor, WRITES } from './lib/writes.mjs'

/** Goal 3: one persisting call after the other over stdio against its SQL through bare pg. */
export async function run(bench) {
  const figures = []
  for (const writes of Object.values(WRITES)) figures.push(await persistOne(bench, writes))
  return figures
}

async function persistOne(bench, writes) {
  const { tool, table, argumentsOf, isAdded } = writes
  const rounds = bench.size(11, 3)
  const calls = bench.size(200, 50)
  const batches = rounds + 1
  const recorded = await recordTransactions(
    bench,
    writes,
    all(batches, (batch) => argumentsOf({ count: calls, batch, salt: 2 })),
  )
  const [ours, bare] = [await databaseFor(bench, writes), await databaseFor(bench, writes)]
  const server = await bench.stdio(ours)
  const client = new pg.Client({ connectionString: bare.url })
  await client.connect()
  bench.keep(client, () => client.end())

  const persist = async (batch) => {
    const args = argumentsOf({ count: calls, batch, salt: 1 })
    const times = await timedEach(calls, 1, async (i) => {
      const { structuredContent } = await server.call(tool, args[i])
      verify(isAdded(structuredContent), `${tool} did not add a row`)
    })
    verify((await ours.count(table)) === (batch + 1) * calls, 'rows are missing')
    return times
  }
  const replayed = async (batch) => {
    const times = await timedEach(calls, 1, (i) => replay(client, recorded[batch * calls + i]))
    verify((await bare.count(table)) === (batch + 1) * calls, 'rows of the replay are missing')
    return times
  }

  await persist(0)
  await replayed(0)
  const results = await interleave(rounds, {
    ours: (round) => persist(round + 1),
    bare: (round) => replayed(round + 1),
  })
  const p50 = (side) => short(median(results.flatMap((result) => result[side])))
  return figure({
    name: `${tool} over stdio / bare pg`,
    values: results.map((result) => median(result.ours) / median(result.bare)),
    goal: atMost(1.5),
    note: `p50 ${p50('ours')} ms, the same ${recorded.at(-1).length} statements ${p50('bare')} ms`,
  })
}

const all = (batches, callsOf) => Array.from({ length: batches }, (_, i) => callsOf(i)).flat()
