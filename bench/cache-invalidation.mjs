import { setTimeout as delay } from 'node:timers/promises'
import { Child } from './lib/child.mjs'
import { atMost, figure, remark, short } from './lib/figure.mjs'
import { interleave, median, timed, verify } from './lib/measure.mjs'
import { RawHttp } from './lib/raw-http.mjs'
import { FilledRedis, redisProgram } from './lib/redis.mjs'

const PING_LOOP = new URL('./lib/ping-loop.mjs', import.meta.url)
const MANY = 1_000_000
const FEW = 10_000
/** What a symbol that is watched has cached. */
const ENTRIES = 50
const LARGE_TAG = 10_000

/** Goal 11: what invalidating a symbol costs in a full cache, and how long others wait meanwhile. */
export async function run(bench) {
  if (!redisProgram) return [remark('invalidation of a symbol', 'PATH has no Redis')]
  const many = await side(bench, bench.size(MANY, MANY / 10))
  const few = await side(bench, FEW)
  const rounds = bench.size(101, 11)
  const byTool = await interleave(rounds, { many: invalidating(many), few: invalidating(few) })
  const byStore = await interleave(rounds, { many: deleting(many), few: deleting(few) })
  return [
    ratio('invalidate_cache', byTool),
    ratio('the keys alone', byStore),
    ...(await waits(bench, many.redis)),
  ]
}

/** The product on a cache that holds so many entries. */
async function side(bench, count) {
  const database = await bench.database()
  const [{ name }] = await database.query('select current_database() as name')
  const redis = await FilledRedis.start(bench, name, count)
  const server = await bench.serve(database, { REDIS_URL: `unix://${redis.path}` })
  const http = new RawHttp(server.url, 1)
  bench.keep(http, () => http.close())
  return { http, redis }
}

const invalidating =
  ({ http }) =>
  async (round) => {
    const symbol = `SYM${round}`
    for (let i = 0; i < ENTRIES; i++) {
      const entry = { symbol, pattern_type: `type_${i}`, result: { i } }
      const { cached } = await http.call('cache_pattern_result', entry)
      verify(cached, 'an entry was not stored')
    }
    return timed(async () => {
      const { keys_deleted } = await http.call('invalidate_cache', { symbol })
      verify(keys_deleted === ENTRIES, `${keys_deleted} keys were deleted`)
    })
  }

const deleting =
  ({ redis }) =>
  async (round) => {
    const tag = `TAG${round}`
    await redis.tag(tag, ENTRIES)
    return timed(async () => {
      verify((await redis.store.deleteByTag(tag)) === ENTRIES, 'other entries were deleted')
    })
  }

function ratio(what, results) {
  const [full, empty] = ['many', 'few'].map((name) => median(results.map((each) => each[name])))
  return figure({
    name: `${what} of a symbol, 1 M keys / 10 k`,
    values: results.map((result) => result.many / result.few),
    goal: atMost(1.5),
    note: `${ENTRIES} entries: ${short(full)} ms and ${short(empty)} ms`,
  })
}

/**
 * How long a PING of another client waits while we delete, count and list; and, for comparison, for as
 * long while nobody asks anything, and while we read one key after the other.
 */
async function waits(bench, redis) {
  const pings = new Child(PING_LOOP, [redis.path])
  bench.keep(pings, () => pings.close())
  const during = async (work) => {
    await pings.ask({ on: true })
    const ms = await timed(work)
    return { ms, ...(await pings.ask({ on: false })) }
  }
  const results = Object.keys(WORK).map((name) => ({ name, ours: [], idle: [], reading: [] }))
  for (let round = 0; round < bench.size(9, 2); round++) {
    for (const { name, ours, idle, reading } of results) {
      const work = await WORK[name](redis, round)
      const measured = await during(work)
      ours.push(measured)
      idle.push(await during(() => delay(measured.ms)))
      reading.push(await during(() => redis.read(measured.ms)))
    }
  }
  return results.map(({ name, ours, idle, reading }) =>
    figure({
      name: `longest wait of another, ${name}`,
      unit: 'ms',
      values: ours.map(({ longest }) => longest),
      goal: atMost(5),
      note: `of ${shortMedian(ours, 'ms')} ms; p99.9 ${shortMedian(ours, 'p999')}; longest when idle ${shortMedian(idle, 'longest')}, beside plain reads ${shortMedian(reading, 'longest')}`,
    }),
  )
}

const shortMedian = (results, field) => short(median(results.map((result) => result[field])))

/** Each prepares one piece of work, of which only the work itself is measured. */
const WORK = {
  'deleting a tag of 10 k': async (redis, round) => {
    const tag = `LARGE${round}`
    await redis.tag(tag, LARGE_TAG)
    return async () => {
      verify((await redis.store.deleteByTag(tag)) === LARGE_TAG, 'a tag was deleted in part')
    }
  },
  'deleting 100 k by pattern': async (redis) => {
    await redis.fill('sentiment', 100_000)
    return async () => {
      const deleted = await redis.store.deleteByPattern('sentiment:*')
      verify(deleted === 100_000, `${deleted} keys were deleted`)
    }
  },
  'counting and listing keys': async (redis) => async () => {
    await redis.store.stats(['news:'])
    const page = await redis.store.keys({ pattern: 'news:1*', after: null, limit: 100 })
    verify(page.complete && page.total > 0, 'keys were listed in part')
  },
}
