import { afterAll, beforeAll, expect, test } from 'vitest'
import type { TestClient } from '../support/app.js'
import { ToolError } from '../support/app.js'
import { createDatabase, type TestDatabase } from '../support/database.js'
import { type Fault, FaultProxy } from '../support/fault-proxy.js'
import { article } from '../support/news.js'
import { Random } from '../support/random.js'
import { open, repeat, type Served } from './serving.js'

/** `npm run test:long` sets it. */
const RUNS = process.env.CATALYST_TEST_LONG ? 600 : 40
const SEED = Number(process.env.CATALYST_TEST_SEED ?? 20_261_129)

let database: TestDatabase
let proxy: FaultProxy
let served: Served
let client: TestClient

beforeAll(async () => {
  database = await createDatabase()
  proxy = await FaultProxy.start(database.url)
  served = await open(proxy.url(database.name), { CATALYST_POOL_MAX: '6' })
  client = await served.connect()
})

afterAll(async () => {
  await served.close()
  await proxy.close()
  await database.drop()
})

const isStored = async (headline: string): Promise<boolean> =>
  (await database.query('select 1 from catalyst.news_articles where headline = $1', [headline]))
    .length > 0

/** A call that commits what the session holds, under its key. */
function commitCall(random: Random, session_id: string, idempotency_key: string) {
  const story = article()
  const operations = [{ tool: 'persist_news_catalyst', params: story }]
  return random.chance(0.5)
    ? { tool: 'end_db_session', args: { session_id, outcome: 'commit', idempotency_key }, own: [] }
    : {
        tool: 'execute_transaction',
        args: { session_id, operations, idempotency_key },
        own: [String(story.headline)],
      }
}

/** What the session's owner finally hears: an answer, or the code of a refusal for good. */
async function outcomeOf(call: ReturnType<typeof commitCall>) {
  try {
    return { answer: (await repeat(client, call.tool, call.args)).answer, code: null }
  } catch (error) {
    if (error instanceof ToolError) return { answer: null, code: error.body.code }
    throw error
  }
}

/** Every other run is at a step of the commit, the others walk through the whole call. */
function nextFault(run: number, steps: number, random: Random): Fault {
  const fault = { deliver: random.chance(0.5), how: random.pick(['end', 'reset'] as const) }
  if (run % 2 === 0) {
    const step = 1 + ((run / 2) % 3)
    return { ...fault, at: ({ sinceCommit }) => sinceCommit === step, times: 3 }
  }
  const step = 1 + Math.floor((run / RUNS) * steps)
  return { ...fault, at: ({ number }) => number === step }
}

async function openSession() {
  const { session_id } = await client.tool('start_db_session')
  const story = article()
  await client.tool('persist_news_catalyst', { ...story, session_id })
  return { session_id, headline: String(story.headline) }
}

async function countSteps(random: Random): Promise<number> {
  const { session_id } = await openSession()
  const { tool, args } = commitCall(random, session_id, 'counted')
  proxy.set(null)
  await client.tool(tool, args)
  return proxy.passed
}

test(`wherever a session is cut, what its owner hears is what the database holds (${RUNS} runs)`, {
  timeout: 180_000 + RUNS * 5_000,
}, async () => {
  const random = new Random(SEED)
  const steps = await countSteps(random)
  const heard = new Map<string, number>()
  let cuts = 0
  for (let run = 0; run < RUNS; run++) {
    const { session_id, headline } = await openSession()
    const call = commitCall(random, session_id, `commit-${run}`)
    const fault = nextFault(run, steps, random)
    proxy.set({ ...fault, at: (passing) => fault.at(passing) && ++cuts > 0 })
    const { answer, code } = await outcomeOf(call)
    proxy.set(null)
    heard.set(code ?? 'answered', (heard.get(code ?? 'answered') ?? 0) + 1)
    for (const story of [headline, ...call.own]) {
      expect({ run, isStored: await isStored(story) }).toEqual({ run, isStored: code === null })
    }
    if (code === null) {
      const { replayed: _replayed, ...first } = answer
      const again = await client.tool(call.tool, call.args)
      expect({ run, ...again }).toEqual({ run, ...first, replayed: true })
    }
  }
  process.stdout.write(`${steps} steps, ${cuts} cuts, heard ${JSON.stringify([...heard])}\n`)
  expect(cuts).toBeGreaterThan(RUNS / 2)
  expect([...heard.keys()].filter((code) => !['answered', 'session_lost'].includes(code))).toEqual(
    [],
  )
})
