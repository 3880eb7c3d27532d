import pg from 'pg'
import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { article } from '../support/news.js'
import { waitFor } from '../support/wait-for.js'

const { client, database } = await startApp()
// What the migrations of the database had to tell comes first.
await waitFor(async () => {
  const waiting = await database.query('select 1 from catalyst.event_outbox')
  return waiting.length === 0
})

const cursor = async (): Promise<number> => (await client.tool('list_events')).next_cursor

test('a commit is one event with its transaction id, and the cursor goes on from there', async () => {
  const after = await cursor()
  await client.tool('persist_news_catalyst', article())
  const { events, next_cursor } = await client.tool('list_events', { after, wait_ms: 25_000 })
  expect(events).toHaveLength(1)
  expect(events[0]).toMatchObject({
    type: 'db.transaction',
    severity: 'info',
    data: { tools: ['persist_news_catalyst'], session_id: null },
  })
  const [row] = await database.query<{ fate: string }>('select pg_xact_status($1::xid8) as fate', [
    events[0].data.transaction_id,
  ])
  expect(row?.fate).toBe('committed')
  expect(next_cursor).toBe(events[0].seq)
  expect((await client.tool('list_events', { after: next_cursor })).events).toEqual([])
})

test('transactions that commit out of order are all seen by a reader who goes on from its cursor', async () => {
  let after = await cursor()
  const slow = new pg.Client({ connectionString: database.url })
  const fast = new pg.Client({ connectionString: database.url })
  await Promise.all([slow.connect(), fast.connect()])
  const write = (client: pg.Client, name: string) =>
    client.query(`insert into catalyst.event_outbox (type, data) values ('db.error', $1::jsonb)`, [
      { code: name, message: name, session_id: null },
    ])
  await slow.query('begin')
  await write(slow, 'first written')
  await fast.query('begin')
  await write(fast, 'second written')
  await fast.query('commit')
  const first = await client.tool('list_events', { after, wait_ms: 25_000 })
  expect(first.events.map((event: { data: { code: string } }) => event.data.code)).toEqual([
    'second written',
  ])
  after = first.next_cursor
  await slow.query('commit')
  const second = await client.tool('list_events', { after, wait_ms: 25_000 })
  expect(second.events.map((event: { data: { code: string } }) => event.data.code)).toEqual([
    'first written',
  ])
  await Promise.all([slow.end(), fast.end()])
})

test('what was rolled back is never an event', async () => {
  const after = await cursor()
  await client.refused('persist_news_catalyst', article({ symbol: '???' }))
  const { session_id } = await client.tool('start_db_session')
  await client.tool('persist_news_catalyst', { ...article(), session_id })
  await client.tool('end_db_session', { session_id, outcome: 'rollback' })
  await client.tool('persist_news_catalyst', article({ symbol: 'LAST' }))
  const { events } = await client.tool('list_events', { after, wait_ms: 25_000 })
  expect(events).toHaveLength(1)
})

test('a forged notification makes nobody see what is not in the table', async () => {
  const after = await cursor()
  await database.query(`select pg_notify('catalyst_events', '999999')`)
  const started = Date.now()
  const { events, next_cursor } = await client.tool('list_events', { after, wait_ms: 300 })
  expect(events).toEqual([])
  expect(next_cursor).toBe(after)
  expect(Date.now() - started).toBeGreaterThanOrEqual(290)
})

test('an unknown type, a limit over the maximum and a bad cursor are refused by name', async () => {
  expect((await client.refused('list_events', { types: ['db.nonsense'] })).message).toContain(
    'types[0]',
  )
  expect((await client.refused('list_events', { limit: 100_000 })).message).toContain('limit')
  expect((await client.refused('list_events', { after: -1 })).message).toContain('after')
  await expect(client.resource('events?types=db.nonsense')).rejects.toThrow(/types/)
  await expect(client.resource('events?colour=red')).rejects.toThrow(/colour.*Allowed parameters/s)
})

test('paging through the log gives every event once and in order', async () => {
  const start = await cursor()
  for (let i = 0; i < 7; i++)
    await client.tool('persist_news_catalyst', article({ symbol: `PG${i}` }))
  await waitFor(
    async () => (await client.tool('list_events', { after: start })).events.length === 7,
  )
  const seen: number[] = []
  let after = start
  for (;;) {
    const page = await client.resource(`events?after=${after}&limit=3`)
    seen.push(...page.events.map((event: { seq: number }) => event.seq))
    after = page.next_cursor
    if (page.events.length === 0) break
  }
  expect(seen).toHaveLength(7)
  expect([...seen].sort((a, b) => a - b)).toEqual(seen)
})
