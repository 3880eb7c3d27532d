import { expect, test } from 'vitest'
import { atrTimeframes, freshAtr } from '../../src/domains/trading/stored-atr.js'
import type { Timeframe } from '../../src/lib/timeframes.js'

const isFresh = (timeframe: Timeframe, started: string, now: string): boolean =>
  freshAtr(
    [{ timeframe, atr: '1.5', started_ms: Date.parse(started) }],
    [timeframe],
    Date.parse(now),
  ) !== null

// In November 2026 New York is five hours behind UTC: sessions are 14:30 to 21:00. The market is closed
// on Thursday the 26th, and closes at 18:00 on Friday the 27th.
test.each<[Timeframe, string, string, boolean]>([
  ['1m', '2026-11-24T15:00:00Z', '2026-11-24T15:00:30Z', true],
  ['1m', '2026-11-24T15:00:00Z', '2026-11-24T15:06:00Z', true],
  ['1m', '2026-11-24T15:00:00Z', '2026-11-24T15:06:01Z', false],
  ['5m', '2026-11-24T15:00:00Z', '2026-11-24T15:30:00Z', true],
  ['5m', '2026-11-24T15:00:00Z', '2026-11-24T15:31:00Z', false],
  // The last bar before the holiday, until five bars of Friday.
  ['5m', '2026-11-25T20:55:00Z', '2026-11-27T14:55:00Z', true],
  ['5m', '2026-11-25T20:55:00Z', '2026-11-27T14:56:00Z', false],
  ['1h', '2026-11-27T17:00:00Z', '2026-11-30T19:30:00Z', true],
  ['1h', '2026-11-27T17:00:00Z', '2026-11-30T19:31:00Z', false],
  // Five sessions after its own: 24, 25, 27 (half a day), 30 November and 1 December.
  ['1d', '2026-11-23T05:00:00Z', '2026-12-01T21:00:00Z', true],
  ['1d', '2026-11-23T05:00:00Z', '2026-12-02T14:30:00Z', true],
  ['1d', '2026-11-23T05:00:00Z', '2026-12-02T14:31:00Z', false],
  // Any stamp of the day is that day.
  ['1d', '2026-11-23T14:30:00Z', '2026-12-02T14:31:00Z', false],
  ['1w', '2026-10-26T04:00:00Z', '2026-11-29T12:00:00Z', true],
  ['1w', '2026-10-12T04:00:00Z', '2026-11-29T12:00:00Z', false],
])('an ATR of %s bars that began at %s, at %s: fresh is %s', (timeframe, started, now, fresh) => {
  expect(isFresh(timeframe, started, now)).toBe(fresh)
})

test("the signal's own timeframe comes before days, and a stale one gives way", () => {
  const now = Date.parse('2026-11-24T15:00:00Z')
  const at = (timeframe: Timeframe, started: string, atr: string) => ({
    timeframe,
    atr,
    started_ms: Date.parse(started),
  })
  const [minute, stale, day] = [
    at('1m', '2026-11-24T14:58:00Z', '0.1'),
    at('5m', '2026-11-23T15:00:00Z', '0.5'),
    at('1d', '2026-11-23T05:00:00Z', '1.5'),
  ]
  const atrOf = (own: Timeframe | null) =>
    freshAtr([minute, stale, day], atrTimeframes(own), now)?.atr.toFixed()
  expect(atrOf(null)).toBe('1.5')
  expect(atrOf('1m')).toBe('0.1')
  expect(atrOf('5m')).toBe('1.5')
  expect(atrOf('1d')).toBe('1.5')
})
