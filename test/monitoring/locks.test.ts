import pg from 'pg'
import { afterAll, expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { waitFor } from '../support/wait-for.js'
import { monitoringPolicy } from './policy.js'

const app = await startApp({
  env: monitoringPolicy({ blocked_seconds: [0.3, 600], idle_in_transaction_seconds: [0.5, 600] }),
})
const { client, database } = app
await database.query('create table prices (id int primary key, price int)')
await database.query('insert into prices values (1, 1), (2, 2)')

const sessions: pg.Client[] = []
/** A session of an application beside the product. */
async function session(name: string) {
  const one = new pg.Client({ connectionString: database.url, application_name: name })
  one.on('error', () => {})
  await one.connect()
  sessions.push(one)
  const { rows } = await one.query('select pg_backend_pid() as pid')
  return { pid: Number(rows[0].pid), query: (text: string) => one.query(text) }
}
afterAll(() => Promise.all(sessions.map((one) => one.end())))

const blocking = () =>
  waitFor(async () => {
    const { findings } = await client.resource('db/findings')
    return findings.find(({ check }: { check: string }) => check === 'blocking')
  })
const waiting = (count: number) =>
  waitFor(async () => {
    const answer = await client.resource('db/locks')
    return answer.blocked === count && answer
  })

test('nobody waits: there are no trees', async () => {
  // What a server does at its start may wait for itself.
  await waitFor(async () => (await client.resource('db/locks')).blocked === 0)
  expect(await client.resource('db/locks')).toEqual({
    blocked: 0,
    longest_wait_ms: null,
    trees: [],
  })
})

test('a chain has the one that is idle at its root, with what it holds and what to do', async () => {
  const [root, middle, last] = await Promise.all(['root', 'middle', 'last'].map(session))
  if (!root || !middle || !last) throw new Error('no sessions')
  await root.query('begin')
  await root.query('update prices set price = 3 where id = 1')
  await middle.query('begin')
  await middle.query('update prices set price = 4 where id = 2')
  const blocked = [
    middle.query('update prices set price = 5 where id = 1'),
    waiting(1).then(() => last.query('update prices set price = 6 where id = 2')),
  ]
  const { trees, longest_wait_ms } = await waiting(2)
  expect(longest_wait_ms).toBeGreaterThan(0)
  expect(trees).toMatchObject([
    {
      pid: root.pid,
      application_name: 'root',
      state: 'idle in transaction',
      wait_ms: null,
      lock: { relation: 'public.prices' },
      query: 'update prices set price = 3 where id = 1',
      next_step: expect.stringMatching(/end its transaction.*pg_terminate_backend/),
      blocks: [{ pid: middle.pid, blocks: [{ pid: last.pid, blocks: [] }] }],
    },
  ])
  expect(await blocking()).toMatchObject({
    object: `process ${root.pid}`,
    evidence: { root_pid: root.pid, blocked_sessions: 2, state: 'idle in transaction' },
  })
  await root.query('commit')
  await blocked[0]
  await middle.query('commit')
  await blocked[1]
  await waiting(0)
})

test('of a DDL statement queued behind a long read it is that which is to be dealt with', async () => {
  const [reader, ddl, victim] = await Promise.all(['reader', 'ddl', 'victim'].map(session))
  if (!reader || !ddl || !victim) throw new Error('no sessions')
  const read = reader.query('select pg_sleep(600) from prices').catch(() => {})
  await waitFor(async () => {
    const [found] = await database.query(
      `select 1 from pg_stat_activity where pid = ${reader.pid} and wait_event = 'PgSleep'`,
    )
    return found
  })
  const altered = ddl.query('alter table prices add column note text')
  await waiting(1)
  const seen = victim.query('select * from prices')
  await waiting(2)
  const finding = await waitFor(async () => {
    const found = await blocking()
    return found.object === `process ${ddl.pid}` && found
  })
  expect(finding).toMatchObject({
    evidence: { root_pid: reader.pid, pid: ddl.pid, lock: { mode: 'AccessExclusiveLock' } },
    next_step: expect.stringMatching(/pg_cancel_backend.*lock_timeout/),
  })
  await database.query(`select pg_cancel_backend(${reader.pid})`)
  await Promise.all([read, altered, seen])
})

test('a session that is idle in transaction is named with its age, and no longer when it has ended', async () => {
  const idle = await session('forgotten')
  await idle.query('begin')
  await idle.query('select 1')
  const finding = await waitFor(async () => {
    const { findings } = await client.resource('db/findings')
    return findings.find(({ check }: { check: string }) => check === 'idle_in_transaction')
  })
  expect(finding).toMatchObject({
    object: `process ${idle.pid}`,
    evidence: { application_name: 'forgotten' },
    next_step: expect.stringMatching(/commit or roll back/),
  })
  await idle.query('rollback')
  await waitFor(async () => {
    const { passed } = await client.resource('db/findings')
    return passed.some(({ check }: { check: string }) => check === 'idle_in_transaction')
  })
})
