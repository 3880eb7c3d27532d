import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { catalyst, detection, uniqueType } from './pattern-support.js'
import { uniqueSymbol } from './support.js'

const { client } = await startApp()

const list = (query: Record<string, string>) =>
  client.resource(`patterns?${new URLSearchParams(query)}`)

const ids = ({ items }: { items: { pattern_id: number }[] }) =>
  items.map(({ pattern_id }) => pattern_id)

test('detections are listed newest first with what became of them, page by page', async () => {
  const [symbol, pattern_type] = [uniqueSymbol(), uniqueType()]
  const detected: number[] = []
  for (let hour = 10; hour < 15; hour++) {
    const given = detection({
      ...{ symbol, pattern_type, direction: 'bearish', price: '12.340' },
      detected_at: `2025-07-08T${hour}:02:00Z`,
      ...catalyst('earnings'),
    })
    detected.unshift((await client.tool('persist_pattern_detection', given)).pattern_id)
  }
  const seen: number[] = []
  let cursor: string | null = null
  do {
    const page = await list({ pattern_type, limit: '2', ...(cursor ? { cursor } : {}) })
    seen.push(...ids(page))
    cursor = page.next_cursor
  } while (cursor !== null)
  expect(seen).toEqual(detected)
  const [first = 0, second = 0] = detected
  const before = await list({ symbol })
  expect(before.items[0]).toMatchObject({
    ...{ pattern_id: first, symbol, pattern_type, timeframe: '5m', direction: 'bearish' },
    ...{ confidence: 0.8, price: '12.34', has_catalyst: true, catalyst_type: 'earnings' },
    ...{ alignment_score: 0.5, status: 'pending', success: null, method: null, reason: null },
  })
  const stored = before.items.map(({ updated_at }: { updated_at: string }) => updated_at).sort()
  await client.tool('update_pattern_outcome', {
    pattern_id: second,
    success: true,
    actual_move: 12,
  })
  const resolved = await list({ symbol, status: 'resolved' })
  expect(ids(resolved)).toEqual([second])
  expect(resolved.items[0]).toMatchObject({ success: true, method: 'manual', move_bps: '12' })
  const stored_since = new Date(Date.parse(stored.at(-1)) + 1).toISOString()
  expect(ids(await list({ symbol, stored_since }))).toEqual([second])
  const until = '2025-07-08T11:02:00Z'
  expect(ids(await list({ symbol, until }))).toEqual(detected.slice(4))
  expect(ids(await list({ symbol, since: until, timeframe: '5m' }))).toEqual(detected.slice(0, 4))
  expect(await list({ symbol, timeframe: '1d' })).toEqual({ items: [], next_cursor: null })
})

test.each(['status=open', 'limit=501', 'pattern_type=%27', 'cursor=eA', 'day=1'])(
  'patterns?%s is refused by name',
  async (query) => {
    await expect(client.resource(`patterns?${query}`)).rejects.toThrow(query.split('=')[0] ?? '')
  },
)
