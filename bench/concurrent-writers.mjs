import pg from 'pg'
import { atLeast, figure, short } from './lib/figure.mjs'
import { interleave, median, quantile, timed, timedEach, verify } from './lib/measure.mjs'
import { recordTransactions, replay } from './lib/recorded.mjs'
import { WRITERS, Writers } from './lib/writers.mjs'
import { databaseFor, WRITES } from './lib/writes.mjs'

/** As many connections as the server's own pool has. */
const POOL = 10

/** Goal 4: 32 writers over HTTP against 32 writers of the same SQL on a bare pool of ten. */
export async function run(bench) {
  const figures = []
  for (const writes of Object.values(WRITES)) figures.push(await writeAtOnce(bench, writes))
  return figures
}

async function writeAtOnce(bench, writes) {
  const rounds = bench.size(9, 3)
  const calls = bench.size(640, 160)
  const argumentsOf = (salt, batch) => writes.argumentsOf({ count: calls, batch, salt })
  const toRecord = Array.from({ length: rounds + 1 }, (_, batch) => argumentsOf(4, batch)).flat()
  const recorded = await recordTransactions(bench, writes, toRecord)
  const [ours, bare] = [await databaseFor(bench, writes), await databaseFor(bench, writes)]
  const writers = new Writers(await bench.serve(ours), ours, writes)
  bench.keep(writers, () => writers.close())
  const pool = new pg.Pool({ connectionString: bare.url, max: POOL })
  bench.keep(pool, () => pool.end())

  const write = async (batch) => {
    const started = performance.now()
    const times = await writers.write(argumentsOf(3, batch))
    return { ms: performance.now() - started, times }
  }
  const replayed = async (batch) => {
    const transactions = recorded.slice(batch * calls, (batch + 1) * calls)
    let times
    const ms = await timed(async () => {
      times = await timedEach(calls, WRITERS, (i) => onPool(pool, transactions[i]))
    })
    const stored = await bare.count(writes.table)
    verify(stored === (batch + 1) * calls, 'rows of the replay are missing')
    return { ms, times }
  }

  await write(0)
  await replayed(0)
  const results = await interleave(rounds, {
    ours: (round) => write(round + 1),
    bare: (round) => replayed(round + 1),
  })
  const told = (side) => {
    const rate = (1_000 * calls) / median(results.map((result) => result[side].ms))
    const times = results.flatMap((result) => result[side].times)
    return `${short(rate)}/s p50 ${short(median(times))} p99 ${short(quantile(times, 0.99))} ms`
  }
  return figure({
    name: `${writes.tool}, ${WRITERS} over HTTP / pg pool of ${POOL}`,
    values: results.map(({ ours, bare }) => bare.ms / ours.ms),
    goal: atLeast(0.5),
    note: `${told('ours')}; bare ${told('bare')}`,
  })
}

async function onPool(pool, transaction) {
  const client = await pool.connect()
  try {
    await replay(client, transaction)
  } finally {
    client.release()
  }
}
