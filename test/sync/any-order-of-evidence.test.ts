import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { detection, expectExactStats, uniqueType } from '../trading/pattern-support.js'
import { fill, uniqueSymbol } from '../trading/support.js'

const { client, database } = await startApp()

const DETECTED = Date.parse('2025-07-08T14:02:00Z')
const at = (minutes: number): string => new Date(DETECTED + minutes * 60_000).toISOString()

type Level = 'calm' | 'up' | 'down'
const RANGES = { calm: [99.5, 100.5], up: [100.2, 101.2], down: [98.8, 99.8] } as const

/** A five-minute bar some minutes after 14:00; its range is 1, so the average range is 1. */
const bar = (minute: number, level: Level = 'calm') => {
  const [low, high] = RANGES[level]
  return { ts: at(minute - 2), open: low, high, low, close: level === 'calm' ? 100 : high }
}
const history = Array.from({ length: 20 }, (_, i) => bar(-5 * (i + 1)))

/** What is to be known of one pattern in the end, and the pieces in which it is told. */
interface World {
  readonly symbol: string
  readonly pattern_type: string
  readonly pieces: readonly (() => Promise<unknown>)[]
}

const persist = (symbol: string, bars: unknown[]) =>
  client.tool('persist_price_bars', { symbol, timeframe: '5m', bars })
const sync = () => client.tool('sync_pattern_outcomes')
const detect = ({ symbol, pattern_type }: Pick<World, 'symbol' | 'pattern_type'>) =>
  client.tool('persist_pattern_detection', {
    ...detection({ symbol, pattern_type, direction: 'bullish', detected_at: at(0) }),
    timeframe: '5m',
  })

interface Plan {
  readonly levels: readonly Level[]
  readonly lost: readonly boolean[]
  readonly exit: number | null
}

function world({ levels, lost, exit }: Plan): World {
  const [symbol, pattern_type] = [uniqueSymbol(), uniqueType()]
  const trades =
    exit === null ? [] : [trade(symbol, 'buy', 5, 100), trade(symbol, 'sell', 40, exit)]
  const fills = trades.values()
  const nextFill = () => fills.next().value?.() ?? Promise.resolve()
  const window = levels.flatMap((level, i) => (lost[i] ? [] : [bar(5 * (i + 1), level)]))
  const bars = [history.slice(0, 9), history.slice(9), window.slice(0, 2), window.slice(2, 5)]
  const chunks = [...bars, window.slice(5)].filter((chunk) => chunk.length > 0)
  return {
    symbol,
    pattern_type,
    pieces: [
      () => detect({ symbol, pattern_type }),
      ...chunks.map((chunk) => () => persist(symbol, chunk)),
      ...trades.map(() => nextFill),
    ],
  }
}

const trade = (symbol: string, side: 'buy' | 'sell', minute: number, price: number) => () =>
  client.tool(
    'persist_trade_execution',
    fill({ symbol, side }, { fill_price: String(price), fill_time: at(minute) }),
  )

const outcome = async ({ pattern_type }: Pick<World, 'pattern_type'>) => {
  const [row] = await database.query(
    `select o.status, o.success, o.method, o.move_bps, o.minutes, o.reason, d.direction,
       (select json_agg(json_build_array(s.timeframe, s.n, s.wins)) from catalyst.pattern_stats s
        where s.pattern_type = d.pattern_type and s.n > 0) as stats
     from catalyst.pattern_outcomes o
     join catalyst.pattern_detections d using (pattern_id)
     where d.pattern_type = $1`,
    [pattern_type],
  )
  return row
}

const plan: fc.Arbitrary<Plan> = fc.record({
  levels: fc.array(fc.constantFrom<Level>('calm', 'calm', 'calm', 'up', 'down'), {
    minLength: 24,
    maxLength: 24,
  }),
  lost: fc.array(fc.constantFrom(false, false, false, true), { minLength: 24, maxLength: 24 }),
  exit: fc.constantFrom(null, null, 99, 100.1, 102),
})
const order = fc.array(fc.record({ pick: fc.nat(), syncs: fc.boolean() }), {
  minLength: 8,
  maxLength: 8,
})

test('any order of bars, fills, the detection and syncs ends in the same figures', async () => {
  await fc.assert(
    fc.asyncProperty(plan, order, async (given, steps) => {
      const [straight, mixed] = [world(given), world(given)]
      for (const piece of straight.pieces) await piece()
      await sync()
      const left = [...mixed.pieces]
      for (const { pick, syncs } of steps) {
        const [piece] = left.splice(pick % Math.max(1, left.length), 1)
        await piece?.()
        if (syncs) await sync()
      }
      await sync()
      expect(await outcome(mixed)).toEqual(await outcome(straight))
      expect((await sync()).patterns_updated).toBe(0)
      await expectExactStats(database)
    }),
    { numRuns: 10, endOnFailure: true },
  )
}, 600_000)

/** A pattern with its history and a window whose levels are told, by index. */
async function told(levels: readonly (Level | null)[]) {
  const names = { symbol: uniqueSymbol(), pattern_type: uniqueType() }
  const { pattern_id } = await detect(names)
  await persist(names.symbol, history)
  const window = levels.flatMap((level, i) => (level ? [bar(5 * (i + 1), level)] : []))
  await persist(names.symbol, window)
  await sync()
  return { ...names, pattern_id }
}

describe('evidence that comes after a pattern was decided', () => {
  test('a hole right after the detection is told, and decides otherwise once it is filled', async () => {
    const one = await told([null, null, 'up'])
    expect(await outcome(one)).toMatchObject({
      success: true,
      reason: '2 price bars before the deciding one are missing',
    })
    const before = await client.resource('db/sync/status')
    await persist(one.symbol, [bar(5, 'calm'), bar(10, 'down')])
    const after = await client.resource('db/sync/status')
    expect(after.pattern_outcomes.due_outcomes).toBe(before.pattern_outcomes.due_outcomes + 1)
    const result = await sync()
    expect(result).toMatchObject({
      patterns_updated: 1,
      success_rate_changes: { [one.pattern_type]: { to: 5 / 11, n: 1 } },
    })
    expect(await outcome(one)).toMatchObject({ success: false, minutes: '13.000', reason: null })
  })

  test('a trade that is told late goes before the price, and an open one makes it wait', async () => {
    const one = await told(['up'])
    expect(await outcome(one)).toMatchObject({ success: true, method: 'price' })
    await trade(one.symbol, 'buy', 30, 100)()
    await sync()
    expect(await outcome(one)).toMatchObject({ status: 'pending', success: null, stats: null })
    await trade(one.symbol, 'sell', 50, 98)()
    await sync()
    expect(await outcome(one)).toMatchObject({ success: false, method: 'trade' })
  })

  test('a correction long before it changes the range, and so what decides', async () => {
    const one = await told(['calm', 'up'])
    const wide = { ...bar(-90), low: 80 }
    await persist(one.symbol, [wide])
    await sync()
    expect(await outcome(one)).toMatchObject({
      status: 'unresolvable',
      reason: 'too few price bars after it',
    })
    await persist(one.symbol, [bar(-90)])
    await sync()
    expect(await outcome(one)).toMatchObject({ success: true, minutes: '13.000' })
  })

  test('bars after the deciding one change nothing, and one told by hand stays', async () => {
    const one = await told(['up'])
    await persist(one.symbol, [bar(10, 'down')])
    expect(await sync()).toMatchObject({ patterns_updated: 0 })
    await client.tool('update_pattern_outcome', { pattern_id: one.pattern_id, success: false })
    await persist(one.symbol, [bar(5, 'calm')])
    await trade(one.symbol, 'buy', 30, 100)()
    expect(await sync()).toMatchObject({ patterns_updated: 0 })
    expect(await outcome(one)).toMatchObject({ success: false, method: 'manual' })
  })

  test('a sync that is an operation of a transaction decides the same, and leaves nothing wrong', async () => {
    const one = await told([null, 'up'])
    await persist(one.symbol, [bar(5, 'down')])
    const { session_id } = await client.tool('start_db_session')
    const bars = { symbol: one.symbol, timeframe: '5m', bars: [bar(120)] }
    const operations = [
      { tool: 'sync_pattern_outcomes', params: {} },
      { tool: 'persist_price_bars', params: bars },
    ]
    await client.tool('execute_transaction', { session_id, operations })
    expect(await outcome(one)).toMatchObject({ success: false })
    await expectExactStats(database)
    expect(await sync()).toMatchObject({ patterns_updated: 0 })
  })
})
