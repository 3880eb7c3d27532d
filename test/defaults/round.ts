import { expect } from 'vitest'
import type { Served } from '../failures/serving.js'
import type { TestDatabase } from '../support/database.js'
import { article } from '../support/news.js'
import { waitFor } from '../support/wait-for.js'
import { signal } from '../trading/signals.js'

/** Where a name without a schema would be found first, were the path of the role believed. */
export const ELSEWHERE = `
  create schema elsewhere;
  create function elsewhere.now() returns timestamptz language sql
    as $$ select '1999-12-31T00:00:00Z'::timestamptz $$;
  create function elsewhere.lower(text) returns text language sql as $$ select 'elsewhere' $$`

/** A round through the product: written, read, told, worked off, migrated, and committed. */
export async function goRound({ connect }: Served, operatorTable: string, database: TestDatabase) {
  const client = await connect()
  const before = await client.tool('list_events')
  const { session_id } = await client.tool('start_db_session')
  const held = article({ snippet: 'held in a session' })
  await client.tool('persist_news_catalyst', { ...held, session_id })

  const story = article({ published_timestamp: '2024-08-09T11:04:00.123456Z', snippet: '\\d\n€' })
  const { news_id } = await client.tool('persist_news_catalyst', story)
  expect(await client.resource(`news/${news_id}`)).toMatchObject({
    headline: story.headline,
    published_at: '2024-08-09T11:04:00.123456Z',
    urgency_score: 0.5,
    snippet: story.snippet,
  })
  const { signal_id } = await client.tool('persist_trading_signal', signal({ confidence: 0.8123 }))
  const { items } = await client.resource('signals')
  expect(items).toContainEqual(expect.objectContaining({ signal_id, confidence: 0.8123 }))

  const { events } = await client.tool('list_events', {
    after: before.next_cursor,
    wait_ms: 10_000,
  })
  expect(events).toContainEqual(expect.objectContaining({ type: 'db.transaction' }))
  expect(events[0].at).toMatch(/^20\d\d-\d\d-\d\dT[\d:.]+Z$/)
  expect(Math.abs(Date.parse(events[0].at) - Date.now())).toBeLessThan(60 * 60 * 1_000)

  expect(await client.tool('sync_source_metrics')).toHaveProperty('sources_updated')
  expect(await client.tool('run_migrations')).toMatchObject({
    migrations_applied: [{ status: 'applied' }],
  })
  expect(
    await database.query('select to_regclass($1) is not null as made', [operatorTable]),
  ).toEqual([{ made: true }])

  await client.tool('end_db_session', { session_id, outcome: 'commit' })
  const stored = 'select 1 from catalyst.news_articles where headline = $1'
  expect(await database.query(stored, [held.headline])).toHaveLength(1)
  await waitFor(async () => (await client.resource('db/status')).postgresql.status === 'up', {
    what: 'a status that says so',
  })
}
