import fc from 'fast-check'
import { expect, test } from 'vitest'
import { barInterval, expectedBars } from '../../src/lib/bar-interval.js'
import { newYorkDay, sessionOf } from '../../src/lib/market-clock.js'
import { TIMEFRAMES } from '../../src/lib/timeframes.js'
import { startApp } from '../support/app.js'
import { bar } from './bars.js'
import { uniqueSymbol } from './support.js'

const { client, database } = await startApp()

const persist = (symbol: string, timeframe: string, bars: unknown[]) =>
  client.tool('persist_price_bars', { symbol, timeframe, bars })

const rows = async (symbol: string) => {
  const found = await database.query(
    `select b.ts, b.ends_at, b.close::float8 as close, b.revision
     from catalyst.price_bars b join catalyst.securities s using (security_id)
     where s.symbol = $1 order by b.ts`,
    [symbol],
  )
  const text = (value: unknown) => new Date(String(value)).toISOString().slice(0, 16)
  return found.map((row) => ({ ...row, ts: text(row.ts), ends_at: text(row.ends_at) }))
}

/** How feeds write one day, in summer and in winter, with its start and its close. */
const days: Record<string, { stamps: string[]; ts: string; ends_at: string }> = {
  'in summer': {
    stamps: [
      '2024-08-13T00:00:00Z',
      '2024-08-13T04:00:00Z',
      '2024-08-13T00:00:00-04:00',
      '2024-08-13T13:30:00Z',
      '2024-08-13T16:00:00-04:00',
      '2024-08-13T20:00:00.5Z',
      '2024-08-13T23:59:59-04:00',
    ],
    ts: '2024-08-13T04:00',
    ends_at: '2024-08-13T20:00',
  },
  'in winter': {
    stamps: [
      '2024-12-30T00:00:00Z',
      '2024-12-30T05:00:00Z',
      '2024-12-30T14:30:00Z',
      '2024-12-30T20:00:00Z',
      '2024-12-30T21:00:00Z',
      '2024-12-31T04:59:59Z',
    ],
    ts: '2024-12-30T05:00',
    ends_at: '2024-12-30T21:00',
  },
  'that closes at 13:00': {
    stamps: ['2024-11-29T00:00:00Z', '2024-11-29T18:00:00Z', '2024-11-29T21:00:00Z'],
    ts: '2024-11-29T05:00',
    ends_at: '2024-11-29T18:00',
  },
}

test.each(Object.entries(days))('a day %s is one bar however a feed writes it', async (_, day) => {
  const symbol = uniqueSymbol()
  for (const [i, stamp] of day.stamps.entries()) {
    const answer = await persist(symbol, '1d', [bar(stamp, { close: 10 + i / 100 })])
    expect(answer).toMatchObject(i === 0 ? { stored: 1 } : { stored: 0, replaced: 1 })
  }
  const last = day.stamps.length - 1
  const { ts, ends_at } = day
  expect(await rows(symbol)).toEqual([{ ts, ends_at, close: 10 + last / 100, revision: last }])
  const atOnce = uniqueSymbol()
  const bars = day.stamps.map((stamp, i) => bar(stamp, { close: 10 + i / 100 }))
  expect(await persist(atOnce, '1d', bars)).toMatchObject({ stored: 1, replaced: last })
  expect(await rows(atOnce)).toEqual(await rows(symbol))
})

test('a week is one bar: it begins on Monday, holiday or not, and ends with its last session', async () => {
  const symbol = uniqueSymbol()
  const answer = await persist(symbol, '1w', [
    bar('2024-09-02T00:00:00Z'),
    bar('2024-09-03T13:30:00Z'),
    bar('2024-09-06T20:00:00Z', { close: 10.6 }),
    bar('2024-11-25T05:00:00Z'),
    bar('2025-04-14T00:00:00Z'),
  ])
  expect(answer).toMatchObject({ stored: 3, unchanged: 1, replaced: 1, rejected: 0 })
  expect(await rows(symbol)).toMatchObject([
    { ts: '2024-09-02T04:00', ends_at: '2024-09-06T20:00', close: 10.6 },
    { ts: '2024-11-25T05:00', ends_at: '2024-11-29T18:00' },
    { ts: '2025-04-14T04:00', ends_at: '2025-04-17T20:00' },
  ])
})

test.each([
  ['5m', '2024-08-13T13:34:59.999Z', '2024-08-13T13:30', '2024-08-13T13:35'],
  ['3m', '2024-08-13T13:35:00Z', '2024-08-13T13:33', '2024-08-13T13:36'],
  ['1h', '2024-08-13T13:30:00Z', '2024-08-13T13:00', '2024-08-13T14:00'],
  ['4h', '2024-08-13T09:30:00-04:00', '2024-08-13T12:00', '2024-08-13T16:00'],
])('%s of %s is the slot from %s', async (timeframe, stamp, ts, ends_at) => {
  const symbol = uniqueSymbol()
  await persist(symbol, timeframe, [bar(stamp), bar(`${ts}:00Z`)])
  expect(await rows(symbol)).toMatchObject([{ ts, ends_at }])
})

test.each([
  ['1d', '2024-08-10T00:00:00Z', 'closed'],
  ['1d', '2024-08-10T15:00:00Z', 'closed'],
  ['1d', '2024-07-04T00:00:00Z', 'closed'],
  ['1d', '2001-09-12T00:00:00Z', 'closed'],
  ['1d', '2012-10-29T13:30:00Z', 'closed'],
  // Sunday evening in New York.
  ['1d', '2024-08-12T03:59:59Z', 'closed'],
  ['1w', '2024-08-11T00:00:00Z', 'weekend'],
  ['1w', '2024-08-17T00:00:00Z', 'weekend'],
  [
    '1d',
    new Date(Math.ceil(Date.now() / 86_400_000 + 1) * 86_400_000).toISOString(),
    '(future|closed)',
  ],
  ['1m', new Date(Date.now() + 600_000).toISOString(), 'future'],
])('a bar of %s at %s is rejected with its index', async (timeframe, stamp, reason) => {
  const symbol = uniqueSymbol()
  const answer = await persist(symbol, timeframe, [bar('2024-08-13T00:00:00Z'), bar(stamp)])
  expect(answer).toMatchObject({ stored: 1, rejected: 1 })
  expect(answer.errors).toEqual([
    {
      index: 1,
      code: 'invalid_input',
      message: expect.stringMatching(new RegExp(`^ts: .*${reason}`)),
    },
  ])
})

const instants = fc.integer({ min: Date.UTC(1990, 0), max: Date.UTC(2030, 0) })
const timeframes = fc.constantFrom(...TIMEFRAMES)

test('every instant of an interval, its start among them, names the same bar', () => {
  fc.assert(
    fc.property(timeframes, instants, (timeframe, ms) => {
      const found = barInterval(timeframe, ms)
      if (!found) return
      expect(barInterval(timeframe, found.start)).toEqual(found)
      expect(barInterval(timeframe, found.end - 1)).toEqual(found)
    }),
  )
})

test('expected bars follow each other, are intervals themselves, and leave out no session', () => {
  fc.assert(
    fc.property(timeframes, instants, (timeframe, ms) => {
      const bars = expectedBars(timeframe, ms, 12)
      for (const [i, { start, end }] of bars.entries()) {
        expect(barInterval(timeframe, start)).toEqual({ start, end })
        const next = bars[i + 1]
        if (!next) continue
        expect(next.start).toBeGreaterThan(start)
        expect(next.end).toBeGreaterThan(end)
        for (let day = newYorkDay(end) + 1; day < newYorkDay(next.start); day++) {
          expect(sessionOf(day)).toBeNull()
        }
      }
    }),
  )
})
