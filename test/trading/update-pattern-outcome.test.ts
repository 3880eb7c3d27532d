import fc from 'fast-check'
import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { waitFor } from '../support/wait-for.js'
import { catalyst, detection, expectExactStats, uniqueType } from './pattern-support.js'

const { client, connect, database } = await startApp()
const other = await connect('legacy')

const detect = async (overrides: Record<string, unknown>): Promise<number> =>
  (await client.tool('persist_pattern_detection', detection(overrides))).pattern_id
const update = (pattern_id: number, success: boolean, rest: Record<string, unknown> = {}) =>
  client.tool('update_pattern_outcome', { pattern_id, success, ...rest })
const learn = async (overrides: Record<string, unknown>, successes: readonly boolean[]) => {
  for (const success of successes) await update(await detect(overrides), success)
}
interface Group {
  readonly updates: readonly { readonly at: number; readonly success: boolean }[]
  readonly outcome: string
}
const wins = (n: number) => Array<boolean>(n).fill(true)
const losses = (n: number) => Array<boolean>(n).fill(false)

test('an outcome told by hand counts at once, and telling it again changes nothing', async () => {
  const pattern_id = await detect({ pattern_type: uniqueType() })
  const told = { actual_move: '125.5', evidence: { chart: 'a\\u0000b', seen: [1, null] } }
  const first = await update(pattern_id, true, told)
  expect(first).toMatchObject({
    pattern_id,
    changed: true,
    previous: { status: 'pending', success: null, method: null },
    status: 'resolved',
    success: true,
    method: 'manual',
    move_bps: '125.5',
    sample_size: 1,
  })
  // (1 + 10 · (1 + 10 · (1 + 10 · 0.5) / 11) / 11) / 11
  expect(first.historical_success_rate).toBeCloseTo(0.6243425995, 9)
  expect(await update(pattern_id, true, told)).toMatchObject({ changed: false, sample_size: 1 })
  const [row] = await database.query(
    'select move_bps, evidence from catalyst.pattern_outcomes where pattern_id = $1',
    [pattern_id],
  )
  expect(row).toEqual({ move_bps: '125.5000', evidence: told.evidence })
})

test('a later word replaces an earlier one, and says which', async () => {
  const pattern_id = await detect({ pattern_type: uniqueType() })
  await update(pattern_id, true, { actual_move: 50 })
  const second = await update(pattern_id, false)
  expect(second).toMatchObject({
    changed: true,
    previous: { status: 'resolved', success: true, method: 'manual' },
    success: false,
    move_bps: null,
    sample_size: 1,
  })
  expect(second.historical_success_rate).toBeLessThan(0.5)
  await expectExactStats(database)
})

test('each level counts as far as it has outcomes, and is named', async () => {
  const pattern_type = uniqueType()
  const kind = { pattern_type, ...catalyst('fda') }
  const next = (overrides: Record<string, unknown>) =>
    client.tool('persist_pattern_detection', detection({ pattern_type, ...overrides }))
  await learn({ pattern_type }, [...wins(3), false])
  const type = (3 + 5) / (4 + 10)
  const fresh = await next(catalyst('fda'))
  expect(fresh).toMatchObject({ level: 'type', sample_size: 4 })
  expect(fresh.historical_success_rate).toBeCloseTo(type, 12)
  await learn({ ...kind, timeframe: '1h' }, wins(2))
  const grown = (5 + 5) / (6 + 10)
  const alike = (2 + 10 * grown) / (2 + 10)
  const second = await next(catalyst('fda'))
  expect(second).toMatchObject({ level: 'type_catalyst', sample_size: 2 })
  expect(second.historical_success_rate).toBeCloseTo(alike, 12)
  const exact = await next({ ...catalyst('FDA'), timeframe: '1h' })
  expect(exact).toMatchObject({ level: 'type_timeframe_catalyst', sample_size: 2 })
  expect(exact.historical_success_rate).toBeCloseTo((2 + 10 * alike) / 12, 12)
  expect(await next(catalyst())).toMatchObject({ level: 'type_catalyst', sample_size: 2 })
})

test('statistics are listed by kind, with intervals of what was seen', async () => {
  const pattern_type = `a_${uniqueType()}`
  await learn({ pattern_type, ...catalyst('fda') }, wins(5))
  await learn({ pattern_type, timeframe: '1d' }, [...wins(2), ...losses(1)])
  await learn({ pattern_type, ...catalyst() }, losses(1))
  await detect({ pattern_type, timeframe: '1w' })
  const page = (query: string) =>
    client.resource(`patterns/statistics?pattern_type=${pattern_type}${query}`)
  const { items, next_cursor } = await page('')
  expect(next_cursor).toBeNull()
  expect(
    items.map((item: Record<string, unknown>) => [
      item.timeframe,
      item.catalyst,
      item.n,
      item.wins,
      item.rate,
    ]),
  ).toEqual([
    ['1d', 'none', 3, 2, 2 / 3],
    ['5m', 'fda', 5, 5, 1],
    ['5m', 'unspecified', 1, 0, 0],
  ])
  expect(items[1].ci_low).toBeCloseTo(0.5655, 4)
  expect(items[1].ci_high).toBe(1)
  const type = (7 + 5) / 19
  const alike = (5 + 10 * type) / 16
  expect(items[1].shrunk).toBeCloseTo((5 + 10 * alike) / 15, 12)
  const first = await page('&limit=2')
  expect(first.items).toEqual(items.slice(0, 2))
  const rest = await page(`&limit=2&cursor=${first.next_cursor}`)
  expect(rest).toEqual({ items: items.slice(2), next_cursor: null })
  expect((await page('&timeframe=1d')).items).toEqual(items.slice(0, 1))
})

test('an open session that told outcomes holds up nobody who tells another of the kind', async () => {
  const pattern_type = uniqueType()
  const [a, b, c] = [
    await detect({ pattern_type }),
    await detect({ pattern_type }),
    await detect({ pattern_type }),
  ]
  const { session_id } = await client.tool('start_db_session')
  await update(a, true, { session_id })
  await update(b, true, { session_id })
  const inside = await update(b, false, { session_id })
  expect(inside).toMatchObject({ sample_size: 2, previous: { success: true } })
  const outside = await other.tool('update_pattern_outcome', { pattern_id: c, success: true })
  expect(outside).toMatchObject({ changed: true, sample_size: 1 })
  await client.tool('end_db_session', { session_id, outcome: 'commit' })
  await expectExactStats(database)
  expect(await update(c, true)).toMatchObject({ changed: false, sample_size: 3 })
})

test('two who tell one outcome at once: the second sees what the first said', async () => {
  const pattern_id = await detect({ pattern_type: uniqueType() })
  const { session_id } = await client.tool('start_db_session')
  await update(pattern_id, true, { session_id })
  const second = other.tool('update_pattern_outcome', { pattern_id, success: false })
  await waitFor(async () => {
    const waiting = await database.query(
      `select pid from pg_stat_activity
       where datname = current_database() and wait_event_type = 'Lock'`,
    )
    return waiting.length > 0
  })
  await client.tool('end_db_session', { session_id, outcome: 'commit' })
  expect(await second).toMatchObject({ previous: { success: true }, sample_size: 1 })
  await expectExactStats(database)
})

test('after any outcomes, told at once and in sessions, every one counts exactly once', async () => {
  const types = [uniqueType(), uniqueType()]
  const ids = await Promise.all(
    Array.from({ length: 8 }, (_, i) =>
      detect({ pattern_type: types[i % 2], ...(i % 3 === 0 ? catalyst('fda') : {}) }),
    ),
  )
  const told = fc.record({ at: fc.nat(ids.length - 1), success: fc.boolean() })
  const group = fc.record({
    updates: fc.array(told, { minLength: 1, maxLength: 5 }),
    outcome: fc.constantFrom('alone', 'commit', 'rollback'),
  })
  const perform = async ({ updates, outcome }: Group) => {
    const session = outcome === 'alone' ? {} : await client.tool('start_db_session')
    const { session_id } = session
    for (const { at, success } of updates) {
      await update(ids[at] ?? 0, success, session_id ? { session_id } : {})
    }
    if (session_id) await client.tool('end_db_session', { session_id, outcome })
  }
  await fc.assert(
    fc.asyncProperty(fc.array(group, { minLength: 1, maxLength: 4 }), async (groups) => {
      for (const one of groups) await perform(one)
      await expectExactStats(database)
    }),
    { numRuns: 15 },
  )
})

test.each([
  [{ pattern_id: 999_999_999 }, 'not_found', 'There is no pattern'],
  [{ pattern_id: 0 }, 'invalid_input', 'pattern_id'],
  [{ pattern_id: 1.5 }, 'invalid_input', 'pattern_id'],
  [{ actual_move: 0.123456 }, 'invalid_input', 'at most 4 decimals'],
  [{ evidence: { a: 'x'.repeat(17_000) } }, 'invalid_input', '16 KB'],
  [{ evidence: { a: [{ 'b\0': 1 }] } }, 'invalid_input', 'NUL'],
  [{ evidence: { a: '\udc00' } }, 'invalid_input', 'surrogates'],
  [{ evidence: [] }, 'invalid_input', 'evidence: must be an object or a text'],
  [{ evidence: 'a\0b' }, 'invalid_input', 'NUL'],
  [{ success: 'yes' }, 'invalid_input', 'success'],
])('%j is refused', async (overrides, code, message) => {
  const pattern_id = await detect({})
  const given = { pattern_id, success: true, ...overrides }
  const error = await client.refused('update_pattern_outcome', given)
  expect(error).toMatchObject({ code, message: expect.stringContaining(message) })
})
