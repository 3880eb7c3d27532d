import { copyFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, expect, test } from 'vitest'
import { story, uniqueHeadline } from '../market/support.js'
import { startApp, type TestClient } from '../support/app.js'
import { Random } from '../support/random.js'
import { detection, uniqueType } from '../trading/pattern-support.js'
import { uniqueSymbol } from '../trading/support.js'
import { RedisServer } from './redis-server.js'

const SEEDS = process.env.CATALYST_TEST_LONG ? 40 : 3
const RUN_MS = process.env.CATALYST_TEST_LONG ? 10_000 : 4_000
/** A busy machine gets more time. */
const LEAST_READS = 150
const STORIES = 40

const redis = await RedisServer.create()
await redis.start()
afterAll(() => redis.dispose())
const env = { REDIS_URL: `unix://${redis.socket}` }
const first = await startApp({ env })
const second = await startApp({ env, database: first.database })
const servers = [first.client, second.client]

/** What a read must show at least: all that was acknowledged before it was sent. */
interface Observed {
  readonly what: string
  readonly least: number
  readonly seen: number
}

/** Something that only grows, with a way to make it grow and a read that shows how far it is. */
interface Subject {
  readonly name: string
  acknowledged: number
  write(client: TestClient): Promise<void>
  read(client: TestClient): Promise<number>
  invalidation(): Record<string, unknown>
}

/** The stories of a symbol, as its list shows them. */
function storiesOfSymbol(): Subject {
  const symbol = uniqueSymbol()
  let sent = 0
  return {
    name: `stories of ${symbol}`,
    acknowledged: 0,
    write: async (client) => {
      if (sent++ >= STORIES) return
      await client.tool('persist_news_catalyst', story({ symbol, headline: uniqueHeadline() }))
      subjectOf(symbol).acknowledged++
    },
    read: async (client) => (await client.resource(`news?symbol=${symbol}`)).items.length,
    invalidation: () => ({ symbol }),
  }
}

/** How often a story was repeated, as the story itself shows it. */
async function repeatsOfStory(): Promise<Subject> {
  const symbol = uniqueSymbol()
  const told = story({ symbol, headline: uniqueHeadline() })
  const { news_id } = await first.client.tool('persist_news_catalyst', told)
  let minute = 0
  return {
    name: `repeats of a story of ${symbol}`,
    acknowledged: 0,
    write: async (client) => {
      minute++
      const published = new Date(Date.UTC(2024, 7, 12, 14, minute)).toISOString()
      await client.tool('persist_news_catalyst', { ...told, published_timestamp: published })
      subjectOf(symbol).acknowledged++
    },
    read: async (client) => (await client.resource(`news/${news_id}`)).update_count,
    invalidation: () => ({ pattern: `news:${news_id}` }),
  }
}

/** Known outcomes of a pattern type, as statistics show them; written in sessions. */
function outcomesOfType(): Subject {
  const pattern_type = uniqueType()
  return {
    name: `outcomes of ${pattern_type}`,
    acknowledged: 0,
    write: async (client) => {
      const symbol = uniqueSymbol()
      const { pattern_id } = await client.tool('persist_pattern_detection', {
        ...detection({ symbol, pattern_type }),
      })
      const { session_id } = await client.tool('start_db_session')
      const operations = [{ tool: 'update_pattern_outcome', params: { pattern_id, success: true } }]
      await client.tool('execute_transaction', { session_id, operations })
      subjectOf(pattern_type).acknowledged++
      await client.tool('end_db_session', { session_id, outcome: 'rollback' })
    },
    read: async (client) => {
      const { items } = await client.resource(`patterns/statistics?pattern_type=${pattern_type}`)
      return items[0]?.n ?? 0
    },
    invalidation: () => ({ cache_type: 'patterns' }),
  }
}

let subjects: Subject[] = []
function subjectOf(name: string): Subject {
  const found = subjects.find((subject) => subject.name.endsWith(name))
  if (!found) throw new Error('there is no such subject')
  return found
}

const dump = join(redis.dir, 'dump.rdb')
const old = join(redis.dir, 'old.rdb')

/** What happens to Redis; data that comes back is what an earlier snapshot holds. */
const FAULTS: readonly (() => Promise<unknown>)[] = [
  async () => {
    await redis.send((one) => one.save())
    await copyFile(dump, old)
  },
  async () => {
    await redis.kill()
    await copyFile(old, dump).catch(() => {})
    await redis.start()
  },
  async () => {
    await redis.kill()
    await rm(dump, { force: true })
    await redis.start()
  },
  () => redis.send((one) => one.flushall()),
  () => redis.send((one) => one.client('PAUSE', 80)),
  async () => {
    redis.freeze()
    await delay(60)
    redis.thaw()
  },
]

async function history(seed: number): Promise<Observed[]> {
  const random = new Random(seed)
  subjects = [storiesOfSymbol(), storiesOfSymbol(), await repeatsOfStory(), outcomesOfType()]
  const observed: Observed[] = []
  const end = Date.now() + RUN_MS
  const until = async (step: () => Promise<unknown>, rest: () => number) => {
    while (Date.now() < end || observed.length < LEAST_READS) {
      await step()
      await delay(rest())
    }
  }
  const write = () => random.pick(subjects).write(random.pick(servers))
  const read = async () => {
    const [subject, client] = [random.pick(subjects), random.pick(servers)]
    const least = subject.acknowledged
    observed.push({ what: subject.name, least, seen: await subject.read(client) })
  }
  const invalidate = () =>
    random.pick(servers).tool('invalidate_cache', random.pick(subjects).invalidation())
  await Promise.all([
    ...[0, 1].map(() => until(write, () => random.between(20, 120))),
    ...[0, 1, 2, 3, 4, 5].map(() => until(read, () => random.between(0, 2))),
    until(invalidate, () => random.between(100, 500)),
    until(
      () => random.pick(FAULTS)(),
      () => random.between(200, 1_000),
    ),
  ])
  return observed
}

test.each(Array.from({ length: SEEDS }, (_, index) => index + 1))(
  'on no server is a read older than a write acknowledged before it, whatever Redis does: seed %i',
  async (seed) => {
    const observed = await history(seed)
    expect(observed.filter(({ least, seen }) => seen < least)).toEqual([])
  },
  RUN_MS + 180_000,
)

test('and many of those reads were answered by the cache', async () => {
  const stats = await Promise.all(servers.map((client) => client.resource('cache/stats')))
  const hits = (type: string) =>
    stats.map(({ redis_info }) => redis_info.by_cache_type[type].hits).reduce((a, b) => a + b)
  expect(hits('news')).toBeGreaterThan(20)
  expect(hits('patterns')).toBeGreaterThan(5)
})
