import { expect, test } from 'vitest'
import { startApp, type TestClient } from '../support/app.js'
import { article } from '../support/news.js'
import { waitFor } from '../support/wait-for.js'

const app = await startApp()
const other = await startApp({ database: app.database })

/** Counts the updates a client receives, by URI. */
function countUpdates(client: TestClient): Map<string, number> {
  const updates = new Map<string, number>()
  client.sdk.setNotificationHandler('notifications/resources/updated', ({ params }) => {
    updates.set(params.uri, (updates.get(params.uri) ?? 0) + 1)
  })
  return updates
}

test('subscribers of both eras, on every server of the database, hear of an event', async () => {
  const legacy = await other.connect('legacy')
  const modern = await other.connect('modern')
  const [legacyUpdates, modernUpdates] = [countUpdates(legacy), countUpdates(modern)]
  await legacy.sdk.subscribeResource({ uri: 'catalyst://events/db.transaction' })
  await legacy.sdk.subscribeResource({ uri: 'events?types=db.transaction' })
  await modern.sdk.listen({ resourceSubscriptions: ['catalyst://events/db.transaction'] })
  await app.client.tool('persist_news_catalyst', article())
  await waitFor(() => legacyUpdates.get('catalyst://events/db.transaction'))
  await waitFor(() => legacyUpdates.get('events?types=db.transaction'))
  await waitFor(() => modernUpdates.get('catalyst://events/db.transaction'))
})

test('a storm of events is at most one update a second, and reading at each update misses none', async () => {
  const client = await app.connect('modern')
  let after = (await client.tool('list_events')).next_cursor
  let updates = 0
  // By what was stored, not by number: the server may have events of its own to tell meanwhile.
  const seen = new Set<string>()
  let reading = Promise.resolve()
  client.sdk.setNotificationHandler('notifications/resources/updated', () => {
    updates++
    reading = reading.then(async () => {
      const { events, next_cursor } = await client.resource(`events?after=${after}`)
      for (const { data } of events) for (const { id } of data.refs ?? []) seen.add(id)
      after = next_cursor
    })
  })
  await client.sdk.listen({ resourceSubscriptions: ['catalyst://events'] })
  const started = Date.now()
  const stored: string[] = []
  for (let i = 0; i < 20; i++) {
    const { news_id } = await app.client.tool(
      'persist_news_catalyst',
      article({ symbol: `ST${i}` }),
    )
    stored.push(news_id)
  }
  const missed = () => stored.filter((id) => !seen.has(id))
  await waitFor(() => missed().length === 0, {
    what: () => `reading ${missed().length} of 20 events at ${updates} updates`,
  })
  expect(updates).toBeLessThanOrEqual(Math.ceil((Date.now() - started) / 1_000) + 1)
})

test('subscribing to what does not exist is refused, and unsubscribing ends the updates', async () => {
  const client = await app.connect('legacy')
  const updates = countUpdates(client)
  await expect(client.sdk.subscribeResource({ uri: 'catalyst://nothing/here' })).rejects.toThrow(
    /no resource/,
  )
  await client.sdk.subscribeResource({ uri: 'catalyst://events' })
  await client.sdk.unsubscribeResource({ uri: 'catalyst://events' })
  const after = (await client.tool('list_events')).next_cursor
  await client.tool('persist_news_catalyst', article({ symbol: 'QUIET' }))
  await client.tool('list_events', { after, wait_ms: 25_000 })
  expect(updates.size).toBe(0)
})
