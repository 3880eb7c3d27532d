import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Bar,
  type PriceCase,
  verdictByPrice,
  verdictByTrade,
} from '../../src/domains/sync/pattern-verdict.js'
import { expectedBars } from '../../src/lib/bar-interval.js'
import { tradingMinutes } from '../../src/lib/market-clock.js'
import type { Timeframe } from '../../src/lib/timeframes.js'

const DETECTED = Date.parse('2025-07-08T14:02:00Z')
const DAY_MS = 86_400_000
const startOf = (index: number): number => DETECTED + 180_000 + index * 300_000
const bar = (index: number, low: string, high: string, close = high): Bar => ({
  start_ms: startOf(index),
  ended_ms: startOf(index + 1),
  high,
  low,
  close,
})
const endedAt = (ended_ms: number, atr: string | null, close = '100') => ({
  start_ms: ended_ms - 300_000,
  ended_ms,
  close,
  atr,
})
const given = (overrides: Partial<PriceCase> = {}): PriceCase => ({
  timeframe: '5m',
  direction: 'bullish',
  detected_ms: DETECTED,
  price: null,
  entry: endedAt(DETECTED - 120_000, '1'),
  bars: [],
  expected: [0, 1, 2].map((index) => ({ start: startOf(index), end: startOf(index + 1) })),
  is_over: false,
  ...overrides,
})
const calm = (index: number): Bar => bar(index, '99.5', '100.5', '100.2')

describe('by price', () => {
  test.each([
    ['bullish', ['100', '101'], true, '100'],
    ['bullish', ['99', '100'], false, '0'],
    ['bearish', ['99', '100'], true, '0'],
    ['bearish', ['100', '101'], false, '-100'],
    ['bullish', ['99', '101'], false, '100'],
    ['bearish', ['99', '101'], false, '-100'],
  ] as const)('%s, a bar of %j: success is %s', (direction, [low, high], success, move_bps) => {
    const bars = [calm(0), bar(1, low, high)]
    expect(verdictByPrice(given({ direction, bars }))).toEqual({
      status: 'resolved',
      success,
      method: 'price',
      move_bps,
      minutes: '13',
      position_id: null,
      reason: null,
      evidence: { from: DETECTED - 420_000, until: startOf(1) },
    })
  })

  test('a bar just short of the barrier does not touch it', () => {
    const bars = [bar(0, '99.000001', '100.999999'), calm(1)]
    expect(verdictByPrice(given({ bars }))).toBeNull()
  })

  test('a window without a touch is a failure, measured at its last bar', () => {
    const bars = [calm(0), calm(1), calm(2), bar(3, '100', '200')]
    expect(verdictByPrice(given({ bars }))).toMatchObject({ success: false, move_bps: '20' })
  })

  test('the price at the detection goes before the close of the last bar', () => {
    const bars = [bar(0, '100.5', '101.5')]
    expect(verdictByPrice(given({ price: '100.75', bars }))).toBeNull()
    expect(verdictByPrice(given({ bars }))).toMatchObject({ success: true })
  })

  test.each([
    ['no bar before', { entry: null }, 'no price bar'],
    ['no range', { entry: endedAt(DETECTED, null) }, 'true range'],
    ['a range of 0', { entry: endedAt(DETECTED, '0.000000') }, 'true range'],
    ['a bar of the day before', { entry: endedAt(DETECTED - DAY_MS, '1', '9') }, 'no price bar'],
    ['too few bars', {}, 'too few'],
  ])('%s: it waits, and then nothing can be told', (_, overrides, reason) => {
    expect(verdictByPrice(given(overrides))).toBeNull()
    expect(verdictByPrice(given({ ...overrides, is_over: true }))).toEqual({
      status: 'unresolvable',
      reason: expect.stringContaining(reason),
      evidence: { from: expect.any(Number), until: startOf(2) },
    })
  })

  test('a bar before the deciding one is waited for; in the end it is told that it is missing', () => {
    const bars = [calm(0), bar(2, '100', '101')]
    expect(verdictByPrice(given({ bars }))).toBeNull()
    expect(verdictByPrice(given({ bars, is_over: true }))).toMatchObject({
      success: true,
      reason: '1 price bars before the deciding one are missing',
    })
  })

  test('what came outside regular hours counts, and nobody waits for it', () => {
    const expected = [1, 2].map((index) => ({ start: startOf(index), end: startOf(index + 1) }))
    const bars = [bar(0, '100', '101')]
    expect(verdictByPrice(given({ bars, expected }))).toMatchObject({ success: true, reason: null })
  })

  test('the last bar may be of Friday when the market was closed since', () => {
    const monday = Date.parse('2025-07-07T13:31:00Z')
    const friday = Date.parse('2025-07-03T17:00:00Z')
    const entry = endedAt(friday, '1')
    const bars = [bar(0, '100', '101')]
    const verdict = verdictByPrice(given({ detected_ms: monday, entry, bars }))
    expect(verdict).toMatchObject({ success: true })
  })

  test('bars after the deciding one, whatever they are, change nothing', () => {
    const level = fc.integer({ min: 97_00, max: 103_00 })
    const bars = fc
      .array(fc.tuple(level, level), { minLength: 1, maxLength: 8 })
      .map((levels) =>
        levels.map(([a, b], i) =>
          bar(i, String(Math.min(a, b) / 100), String(Math.max(a, b) / 100)),
        ),
      )
    const direction = fc.constantFrom('bullish' as const, 'bearish' as const)
    fc.assert(
      fc.property(bars, bars, direction, fc.boolean(), (first, more, way, is_over) => {
        const before = verdictByPrice(given({ direction: way, bars: first, is_over }))
        const later = more.map((one) => ({ ...one, ended_ms: one.ended_ms + DAY_MS }))
        const after = verdictByPrice(given({ direction: way, bars: [...first, ...later], is_over }))
        if (before?.status === 'resolved') expect(after).toEqual(before)
      }),
    )
  })

  test('a touch of one side only is the success of one direction and the failure of the other', () => {
    const level = fc.integer({ min: 97_00, max: 103_00 })
    fc.assert(
      fc.property(level, level, (a, b) => {
        const bars = [bar(0, String(Math.min(a, b) / 100), String(Math.max(a, b) / 100))]
        const up = verdictByPrice(given({ bars }))
        const down = verdictByPrice(given({ direction: 'bearish', bars }))
        if (up?.status !== 'resolved' || down?.status !== 'resolved') return
        expect(up.success && down.success).toBe(false)
        expect(Number(up.move_bps)).toBeCloseTo(-Number(down.move_bps), 9)
      }),
    )
  })
})

test.each([
  ['win', true],
  ['loss', false],
  ['scratch', null],
] as const)('a position that was a %s makes success %s', (outcome, success) => {
  const position = { position_id: 'pos_1', outcome, net_return_bps: '12.5', minutes: '30.5' }
  expect(verdictByTrade(position)).toEqual({
    status: 'resolved',
    success,
    method: 'trade',
    move_bps: '12.5',
    minutes: '30.5',
    position_id: 'pos_1',
    reason: null,
    evidence: null,
  })
})

test('an open position tells nothing yet', () => {
  const open = { position_id: 'pos_1', outcome: null, net_return_bps: null, minutes: null }
  expect(verdictByTrade(open)).toBeNull()
})

describe('the bars that are expected', () => {
  const starts = (timeframe: Timeframe, from: string, count: number) =>
    expectedBars(timeframe, Date.parse(from), count).map(({ start }) =>
      new Date(start).toISOString().slice(0, 16),
    )

  test('over a night and a holiday, in regular hours', () => {
    // From 15:30 on 2025-07-03, a half day that closed at 13:00.
    const bars = expectedBars('5m', Date.parse('2025-07-03T19:30:00Z'), 24)
    expect(new Date(bars.at(-1)?.end ?? 0).toISOString()).toBe('2025-07-07T15:30:00.000Z')
  })

  test('a day counts from its open, so one of which the session is still to come', () => {
    const friday = ['2025-07-03T04:00', '2025-07-07T04:00']
    expect(starts('1d', '2025-07-03T12:00:00Z', 2)).toEqual(friday)
    expect(starts('1d', '2025-07-03T13:30:00.001Z', 1)).toEqual(friday.slice(1))
    expect(starts('1w', '2025-07-07T13:30:00.001Z', 2)).toEqual([
      '2025-07-14T04:00',
      '2025-07-21T04:00',
    ])
  })

  test('they fill regular trading', () => {
    const lengths = { '1m': 1, '2m': 2, '3m': 3, '5m': 5, '10m': 10, '15m': 15, '30m': 30 } as const
    const instant = fc.integer({ min: Date.UTC(2006, 0), max: Date.UTC(2030, 0) })
    fc.assert(
      fc.property(
        instant,
        fc.constantFrom(...(Object.keys(lengths) as (keyof typeof lengths)[])),
        fc.integer({ min: 1, max: 50 }),
        (ms, timeframe, n) => {
          const bars = expectedBars(timeframe, ms, n)
          const [first, last] = [bars[0]?.start ?? 0, bars.at(-1)?.end ?? 0]
          expect(tradingMinutes(first, last)).toBeCloseTo(n * lengths[timeframe], 6)
          expect(tradingMinutes(ms, first)).toBeLessThan(lengths[timeframe])
        },
      ),
    )
  })
})
