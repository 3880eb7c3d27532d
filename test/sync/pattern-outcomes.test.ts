import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { SecurityService } from '../../src/domains/market/securities.service.js'
import { PatternOutcomes } from '../../src/domains/sync/pattern-outcomes.js'
import { dueOutcomes } from '../../src/domains/sync/pattern-outcomes.sql.js'
import type { Run } from '../../src/domains/sync/run.js'
import { PatternService } from '../../src/domains/trading/patterns.service.js'
import { parseDatabaseUrl } from '../../src/platform/postgres/connection.js'
import { Database } from '../../src/platform/postgres/database.js'
import { defaultPolicy } from '../../src/policy.js'
import { startApp } from '../support/app.js'
import { detection, expectExactStats, uniqueType } from '../trading/pattern-support.js'

const { client, database } = await startApp()
const pool = new Database({ endpoint: parseDatabaseUrl(database.url), poolMax: 4 })
afterAll(() => pool.close())

const DETECTED = '2025-07-08T14:02:00Z'
const MINUTE_MS = 60_000
const at = (minutes: number): string =>
  new Date(Date.parse(DETECTED) + minutes * MINUTE_MS).toISOString()
const LATER = at(60 * 24 * 30)

const { learning } = defaultPolicy()
const outcomesAt = (now: string) => {
  const clock = { now: () => new Date(now) }
  const securities = new SecurityService({ database: pool })
  const cached = { read: <T>({ load }: { load(): Promise<T> }) => load() }
  const patterns = new PatternService({ database: pool, securities, clock, learning, cached })
  return new PatternOutcomes({ patterns, clock, learning })
}
type InTransaction = Run['inTransaction']
const inTransaction: InTransaction = (work) =>
  pool.transaction(async (tx) => {
    const answer = await work(tx)
    await tx.emit('db.transaction', { tools: [], session_id: null, touched: tx.touched })
    return answer
  })
const quiet = { progress: () => {} }
const sync = (now: string, pattern_type?: string, run = inTransaction) =>
  outcomesAt(now).sync(pattern_type ? { pattern_types: [pattern_type] } : {}, {
    ...quiet,
    inTransaction: run,
  })

await database.query(
  `select catalyst.ensure_month_partitions(t, '2025-07-01', '2025-08-31')
   from unnest(array['price_bars', 'technical_indicators']) t`,
)

const uniqueSymbol = () => `S${randomBytes(5).toString('hex').toUpperCase()}`
const detect = async (overrides: Record<string, unknown>): Promise<number> => {
  const given = detection({ detected_at: DETECTED, ...overrides })
  return (await client.tool('persist_pattern_detection', given)).pattern_id
}
const tell = (pattern_id: number, success: boolean) =>
  client.tool('update_pattern_outcome', { pattern_id, success })
const outcomeOf = async (patternId: number) => {
  const [row] = await database.query(
    `select status, success, method, move_bps, minutes, position_id, reason, resolved_at
     from catalyst.pattern_outcomes where pattern_id = $1`,
    [patternId],
  )
  return row
}

/** A five-minute bar that begins some minutes after 14:00, with a range of 1 around 100. */
async function addBar(symbol: string, minute: number, [low, high]: readonly [number, number]) {
  const bar = [symbol, at(minute - 2), low, high]
  await database.query(
    `insert into catalyst.price_bars (security_id, timeframe, ts, ends_at, open, high, low, close)
     select security_id, '5m', $2, $2::timestamptz + interval '5 minutes', $4, $4, $3, $4
     from catalyst.securities where symbol = $1`,
    bar,
  )
  await database.query(
    `insert into catalyst.technical_indicators (security_id, timeframe, ts, atr_14)
     select security_id, '5m', $2, 1 from catalyst.securities where symbol = $1`,
    bar.slice(0, 2),
  )
}
const BEFORE = [99.5, 100] as const
const CALM = [99.5, 100.5] as const
const UP = [100, 101] as const
const DOWN = [99, 100] as const

/** A position some minutes after the detection; closed half an hour later unless it is open. */
async function addPosition(
  symbol: string,
  minute: number,
  { direction = 'long', outcome = null as string | null, bps = '50.25' } = {},
): Promise<string> {
  const position_id = `pos_${randomBytes(16).toString('hex')}`
  const account = `acc${randomBytes(4).toString('hex')}`
  await database.query(
    `insert into catalyst.position_books (account_id, security_id)
     select $2, security_id from catalyst.securities where symbol = $1`,
    [symbol, account],
  )
  await database.query(
    `insert into catalyst.positions (position_id, account_id, security_id, direction, status,
       qty_open, entry_cost, entry_notional, qty_total, opened_at, closed_at, trading_date,
       outcome, net_return_bps)
     select $3, $2, security_id, $4, case when $5::text is null then 'open' else 'closed' end,
       o.qty, o.qty, 1, 1, $6, case when $5::text is not null then $7::timestamptz end,
       '2025-07-08', $5, case when $5::text is not null then $8::numeric end
     from catalyst.securities, (select case when $5::text is null then 1 else 0 end as qty) o
     where symbol = $1`,
    [symbol, account, position_id, direction, outcome, at(minute), at(minute + 30), bps],
  )
  return position_id
}

describe('by the position opened on it', () => {
  test.each([
    ['win', true],
    ['loss', false],
    ['scratch', null],
  ])('a %s makes success %s', async (outcome, success) => {
    const [symbol, pattern_type] = [uniqueSymbol(), uniqueType()]
    const pattern_id = await detect({ symbol, pattern_type, direction: 'bullish' })
    await addPosition(symbol, -1, { outcome: 'loss' })
    await addPosition(symbol, 1, { outcome: 'loss', direction: 'short' })
    const position_id = await addPosition(symbol, 60, { outcome })
    const result = await sync(at(95), pattern_type)
    expect(result.patterns_updated).toBe(1)
    expect(await outcomeOf(pattern_id)).toMatchObject({
      status: 'resolved',
      success,
      method: 'trade',
      move_bps: '50.2500',
      minutes: '90.000',
      position_id,
    })
    const to = success ? 6 / 11 : 5 / 11
    expect(result.success_rate_changes).toEqual(
      success === null ? {} : { [pattern_type]: { from: 0.5, to, n: 1 } },
    )
    expect(await sync(at(95), pattern_type)).toEqual({
      patterns_updated: 0,
      success_rate_changes: {},
    })
    await expectExactStats(database)
  })

  test('an open one keeps it pending however long; one opened too late does not count', async () => {
    const pattern_type = uniqueType()
    const [held, missed] = [uniqueSymbol(), uniqueSymbol()]
    const first = await detect({ symbol: held, pattern_type })
    const second = await detect({ symbol: missed, pattern_type })
    await addPosition(held, 5)
    await addPosition(missed, 60.1, { outcome: 'win' })
    expect(await sync(LATER, pattern_type)).toMatchObject({ patterns_updated: 1 })
    expect(await outcomeOf(first)).toMatchObject({ status: 'pending' })
    expect(await outcomeOf(second)).toMatchObject({
      status: 'unresolvable',
      reason: expect.stringContaining('neutral'),
    })
  })
})

describe('by price', () => {
  const pattern = async (direction: string) => {
    const [symbol, pattern_type] = [uniqueSymbol(), uniqueType()]
    const pattern_id = await detect({ symbol, pattern_type, direction })
    return { symbol, pattern_type, pattern_id }
  }

  test('the first bar after it that moves one range decides, once the time to trade is over', async () => {
    const { symbol, pattern_type, pattern_id } = await pattern('bullish')
    await addBar(symbol, -5, BEFORE)
    // Had not ended when the pattern was detected.
    await addBar(symbol, 0, [90, 110])
    await addBar(symbol, 5, CALM)
    await addBar(symbol, 10, UP)
    await addBar(symbol, 15, DOWN)
    expect(await sync(at(59), pattern_type)).toMatchObject({ patterns_updated: 0 })
    expect(await sync(at(61), pattern_type)).toEqual({
      patterns_updated: 1,
      success_rate_changes: { [pattern_type]: { from: 0.5, to: 6 / 11, n: 1 } },
    })
    expect(await outcomeOf(pattern_id)).toMatchObject({
      status: 'resolved',
      success: true,
      method: 'price',
      move_bps: '100.0000',
      minutes: '13.000',
      position_id: null,
    })
  })

  test('a bar that has not ended does not decide', async () => {
    const { symbol, pattern_type } = await pattern('bearish')
    await addBar(symbol, -5, BEFORE)
    for (let i = 1; i < 12; i++) await addBar(symbol, i * 5, CALM)
    await addBar(symbol, 60, DOWN)
    expect(await sync(at(62.9), pattern_type)).toMatchObject({ patterns_updated: 0 })
    expect(await sync(at(63), pattern_type)).toMatchObject({ patterns_updated: 1 })
  })

  test('24 calm bars are a failure, 23 are waited for and then cannot tell', async () => {
    const [full, short] = [await pattern('bullish'), await pattern('bullish')]
    for (const { symbol } of [full, short]) await addBar(symbol, -5, BEFORE)
    for (let i = 1; i <= 24; i++) {
      await addBar(full.symbol, i * 5, CALM)
      if (i < 24) await addBar(short.symbol, i * 5, CALM)
    }
    // Weeks later, when nobody waits any longer.
    await addBar(short.symbol, 60 * 24 * 20, UP)
    const end = 120 + 3 * 24 * 60
    expect(await sync(at(end), full.pattern_type)).toMatchObject({ patterns_updated: 1 })
    expect(await outcomeOf(full.pattern_id)).toMatchObject({ success: false, move_bps: '50.0000' })
    expect(await sync(at(end), short.pattern_type)).toMatchObject({ patterns_updated: 0 })
    const late = sync(LATER, short.pattern_type)
    expect(await late).toMatchObject({ patterns_updated: 1, success_rate_changes: {} })
    expect(await outcomeOf(short.pattern_id)).toMatchObject({
      status: 'unresolvable',
      reason: 'too few price bars after it',
    })
  })

  test('without any bar it is pending, then unresolvable, and not looked at again', async () => {
    const { pattern_type, pattern_id } = await pattern('bullish')
    expect(await sync(at(120), pattern_type)).toMatchObject({ patterns_updated: 0 })
    expect(await sync(LATER, pattern_type)).toMatchObject({ patterns_updated: 1 })
    expect(await outcomeOf(pattern_id)).toMatchObject({ status: 'unresolvable', success: null })
    const { outcomes } = await pool.one(dueOutcomes('pending', { pattern_types: [pattern_type] }))
    expect(outcomes).toBe(0)
    expect(await tell(pattern_id, true)).toMatchObject({ previous: { status: 'unresolvable' } })
  })
})

/** Patterns of one type whose price has gone up for every second one. */
async function many(count: number): Promise<string> {
  const [symbol, pattern_type] = [uniqueSymbol(), uniqueType()]
  await detect({ symbol, pattern_type, direction: 'bullish' })
  await addBar(symbol, -5, BEFORE)
  await addBar(symbol, 5, UP)
  await database.query(
    `with added as (
       insert into catalyst.pattern_detections (security_id, pattern_type, timeframe, direction,
         confidence, bar_time, detected_at, has_catalyst, alignment_score)
       select s.security_id, $2, '5m', case when i % 2 = 0 then 'bullish' else 'bearish' end,
         0.5, $3::timestamptz - i * interval '1001 milliseconds', $3, false, 0
       from catalyst.securities s, generate_series(1, $4) i where s.symbol = $1
       returning pattern_id
     )
     insert into catalyst.pattern_outcomes (pattern_id, status)
     select pattern_id, 'pending' from added`,
    [symbol, pattern_type, DETECTED, count - 1],
  )
  return pattern_type
}

test('many batches tell how far they are, and filters leave the others alone', async () => {
  const [pattern_type, other] = [await many(1_201), await many(3)]
  const told: number[][] = []
  const result = await outcomesAt(LATER).sync(
    { pattern_types: [pattern_type], timeframe: '5m' },
    { inTransaction, progress: (done, total) => told.push([done, total]) },
  )
  expect(told).toEqual([
    [500, 1_201],
    [1_000, 1_201],
    [1_201, 1_201],
  ])
  expect(result.patterns_updated).toBe(1_201)
  expect(result.success_rate_changes[pattern_type]).toMatchObject({ n: 1_201 })
  expect((await pool.one(dueOutcomes('pending', { pattern_types: [other] }))).outcomes).toBe(3)
  expect(await outcomesAt(LATER).sync({ timeframe: '1w' }, { ...quiet, inTransaction })).toEqual({
    patterns_updated: 0,
    success_rate_changes: {},
  })
  await expectExactStats(database)
})

test.each([1, 2, 3, 4])(
  'cut in transaction %i and run again, nothing counts twice',
  async (cut) => {
    const pattern_type = await many(1_100)
    let begun = 0
    const failing: InTransaction = (work) =>
      inTransaction(async (tx) => {
        const result = await work(tx)
        if (++begun === cut) throw new Error('the connection was cut')
        return result
      })
    await expect(sync(LATER, pattern_type, failing)).rejects.toThrow('cut')
    await expectExactStats(database)
    const { patterns_updated } = await sync(LATER, pattern_type)
    expect(patterns_updated).toBe(1_100 - Math.max(0, cut - 2) * 500)
    await expectExactStats(database)
  },
)

test('two runs at once take turns: each outcome is told by one of them', async () => {
  const pattern_type = await many(1_600)
  const results = await Promise.all([sync(LATER, pattern_type), sync(LATER, pattern_type)])
  const updated = results.map((result) => result.patterns_updated)
  expect(updated.reduce((a, b) => a + b)).toBe(1_600)
  await expectExactStats(database)
})

test('what an open session tells by hand is left to it', async () => {
  const symbol = uniqueSymbol()
  const pattern_type = uniqueType()
  const pattern_id = await detect({ symbol, pattern_type, direction: 'bullish' })
  await addBar(symbol, -5, BEFORE)
  await addBar(symbol, 5, UP)
  const { session_id } = await client.tool('start_db_session')
  await client.tool('update_pattern_outcome', { pattern_id, success: false, session_id })
  expect(await sync(LATER, pattern_type)).toMatchObject({ patterns_updated: 0 })
  await client.tool('end_db_session', { session_id, outcome: 'commit' })
  expect(await sync(LATER, pattern_type)).toMatchObject({ patterns_updated: 0 })
  expect(await outcomeOf(pattern_id)).toMatchObject({ method: 'manual', success: false })
  await expectExactStats(database)
})

test('after any sequence of words and runs, alone or at once, every outcome counts once', async () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('tell' as const), of: fc.nat(5), success: fc.boolean() }),
    fc.record({ kind: fc.constant('sync' as const), at: fc.constantFrom(at(61), LATER) }),
  )
  const perform = async (ids: readonly number[], pattern_type: string, one: Step) =>
    one.kind === 'tell' ? tell(ids[one.of] ?? 0, one.success) : sync(one.at, pattern_type)
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 8 }), fc.boolean(), async (steps, atOnce) => {
      const pattern_type = await many(6)
      const rows = await database.query<{ pattern_id: number }>(
        'select pattern_id from catalyst.pattern_detections where pattern_type = $1',
        [pattern_type],
      )
      const ids = rows.map(({ pattern_id }) => pattern_id)
      if (atOnce) await Promise.all(steps.map((one) => perform(ids, pattern_type, one)))
      else for (const one of steps) await perform(ids, pattern_type, one)
      await expectExactStats(database)
      await sync(LATER, pattern_type)
      await expectExactStats(database)
      const [counted] = await database.query(
        'select sum(n)::int as n from catalyst.pattern_stats where pattern_type = $1',
        [pattern_type],
      )
      expect(counted).toEqual({ n: 6 })
    }),
    { numRuns: 12 },
  )
})

type Step =
  | { readonly kind: 'tell'; readonly of: number; readonly success: boolean }
  | { readonly kind: 'sync'; readonly at: string }
