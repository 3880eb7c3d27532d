import { afterAll, beforeAll, expect, test } from 'vitest'
import type { TestClient } from '../support/app.js'
import { createDatabase, type TestDatabase } from '../support/database.js'
import { type Fault, FaultProxy } from '../support/fault-proxy.js'
import { article } from '../support/news.js'
import { Random } from '../support/random.js'
import { waitFor } from '../support/wait-for.js'
import { open, repeat, type Served } from './serving.js'

/** `npm run test:long` sets it. */
const RUNS = process.env.CATALYST_TEST_LONG ? 1_000 : 60
const SEED = Number(process.env.CATALYST_TEST_SEED ?? 20_260_728)

let database: TestDatabase
let proxy: FaultProxy
let served: Served
let clients: readonly TestClient[]

beforeAll(async () => {
  database = await createDatabase()
  proxy = await FaultProxy.start(database.url)
  served = await open(proxy.url(database.name), { CATALYST_POOL_MAX: '4' })
  clients = [await served.connect('modern'), await served.connect('legacy')]
})

afterAll(async () => {
  await served.close()
  await proxy.close()
  await database.drop()
})

/** What the whole run has left so far; every call that was answered adds one to each. */
async function effects() {
  const [row] = await database.query<{ rows: number; events: number; audited: number }>(`
    select
      (select count(*)::int from catalyst.news_articles) as rows,
      (select count(*)::int from catalyst.events where type = 'db.transaction')
        + (select count(*)::int from catalyst.event_outbox where type = 'db.transaction') as events,
      (select count(*)::int from catalyst.audit_log where outcome = 'ok' and tool like 'persist%')
        + (
          select count(*)::int from catalyst.audit_outbox
          where entry ->> 'outcome' = 'ok' and entry ->> 'tool' like 'persist%'
        ) as audited`)
  return row
}

/** Every call repeated at the end of its run has its entry. */
const auditIsWritten = async () =>
  (
    await database.query(
      `select 1 from catalyst.audit_log where outcome = 'replayed' offset ${RUNS - 1}`,
    )
  ).length > 0

const auditedTwice = () =>
  database.query(
    'select request_id, count(*) from catalyst.audit_log group by 1 having count(*) > 1',
  )

/** The messages of a call on connections that exist, its key and the entry in the audit included. */
async function countSteps(): Promise<number> {
  const [client] = clients
  if (!client) throw new Error('there is no client')
  await client.tool('persist_news_catalyst', article())
  await client.tool('persist_news_catalyst', article())
  proxy.set(null)
  await client.tool('persist_news_catalyst', { ...article(), idempotency_key: 'counted' })
  return proxy.passed
}

/** Every other run is at a step of the commit, the others walk through the whole call. */
function nextFault(run: number, steps: number, random: Random): Fault {
  const deliver = random.chance(0.5)
  const how = random.pick(['end', 'reset'] as const)
  const times = random.pick([1, 1, 2, 3])
  if (run % 2 === 0) {
    const step = 1 + ((run / 2) % 3)
    return { at: ({ sinceCommit }) => sinceCommit === step, deliver, how, times: 1 }
  }
  const step = 1 + Math.floor(((run - 1) / RUNS) * steps)
  return { at: ({ number }) => number % steps === step, deliver, how, times }
}

test(`wherever the connection is cut, a call repeated by its key is done once and never lost (${RUNS} runs)`, {
  timeout: 180_000 + RUNS * 5_000,
}, async () => {
  const random = new Random(SEED)
  const steps = await countSteps()
  const refused = new Map<string, number>()
  let cuts = 0
  for (let run = 0; run < RUNS; run++) {
    const fault = nextFault(run, steps, random)
    proxy.isSliced = random.chance(0.1)
    proxy.latencyMs = random.chance(0.1) ? 2 : 0
    proxy.set({ ...fault, at: (passing) => fault.at(passing) && ++cuts > 0 })
    const args = { ...article(), idempotency_key: `run-${run}` }
    const client = random.pick(clients)
    const { answer, refusals } = await repeat(client, 'persist_news_catalyst', args)
    proxy.set(null)
    for (const code of refusals) refused.set(code, (refused.get(code) ?? 0) + 1)
    const once = run + 4
    expect({ run, ...(await effects()) }).toEqual({
      run,
      rows: once,
      events: once,
      audited: once,
    })
    const again = await client.tool('persist_news_catalyst', args)
    expect({ run, ...again }).toEqual({ run, ...answer, replayed: true })
  }
  process.stdout.write(
    `${RUNS} runs, ${steps} steps a call, ${cuts} cuts, refusals ${JSON.stringify([...refused])}\n`,
  )
  expect(await waitFor(auditIsWritten)).toBe(true)
  expect(await auditedTwice()).toEqual([])
  expect(cuts).toBeGreaterThan(RUNS / 2)
  expect([...refused.keys()].filter((code) => code !== 'unavailable')).toEqual([])
})
