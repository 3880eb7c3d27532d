import { describe, expect, test } from 'vitest'
import { startApp } from '../support/app.js'

const { client } = await startApp()

const clock = (at: string) =>
  client.resource(`catalyst://market/clock?at=${encodeURIComponent(at)}`)

test('without an instant it is the clock of now', async () => {
  const before = Date.now()
  const now = await client.resource('market/clock')
  const at = Date.parse(now.at)
  expect(at).toBeGreaterThanOrEqual(before)
  expect(at).toBeLessThanOrEqual(Date.now())
  expect(Date.parse(now.next_open)).toBeGreaterThan(at)
  expect(Date.parse(now.next_close)).toBeGreaterThan(at)
  expect(await clock(now.at)).toEqual(now)
})

test('a trading day, before it opens', async () => {
  expect(await clock('2024-12-30T09:29:59-05:00')).toEqual({
    at: '2024-12-30T14:29:59Z',
    market_state: 'pre-market',
    timezone: 'America/New_York',
    trading_date: '2024-12-30',
    is_trading_day: true,
    is_half_day: false,
    session: {
      pre_market_opens: '2024-12-30T09:00:00Z',
      opens: '2024-12-30T14:30:00Z',
      closes: '2024-12-30T21:00:00Z',
      after_hours_end: '2024-12-31T01:00:00Z',
    },
    next_open: '2024-12-30T14:30:00Z',
    next_close: '2024-12-30T21:00:00Z',
  })
})

describe('next open and next close', () => {
  test.each([
    ['at the open', '2024-12-30T14:30:00Z', '2024-12-31T14:30:00Z', '2024-12-30T21:00:00Z'],
    ['at the close', '2024-12-30T21:00:00Z', '2024-12-31T14:30:00Z', '2024-12-31T21:00:00Z'],
    ['over New Year', '2024-12-31T21:00:00Z', '2025-01-02T14:30:00Z', '2025-01-02T21:00:00Z'],
    ['into a half day', '2024-11-28T17:00:00Z', '2024-11-29T14:30:00Z', '2024-11-29T18:00:00Z'],
    ['over Good Friday', '2024-03-28T20:00:00Z', '2024-04-01T13:30:00Z', '2024-04-01T20:00:00Z'],
    ['into summer time', '2024-03-08T21:00:00Z', '2024-03-11T13:30:00Z', '2024-03-11T20:00:00Z'],
    ['out of summer time', '2024-11-01T20:00:00Z', '2024-11-04T14:30:00Z', '2024-11-04T21:00:00Z'],
    ['in September 2001', '2001-09-10T20:00:00Z', '2001-09-17T13:30:00Z', '2001-09-17T20:00:00Z'],
    ['at the end', '2099-12-31T23:59:59Z', '2100-01-04T14:30:00Z', '2100-01-04T21:00:00Z'],
  ])('%s', async (_, at, open, close) => {
    const { next_open, next_close } = await clock(at)
    expect([next_open, next_close].map(Date.parse)).toEqual([open, close].map(Date.parse))
  })
})

describe('days without a full session', () => {
  test.each([
    ['a half day', '2024-11-29T17:59:59Z', 'regular', '2024-11-29'],
    ['late trading of a half day', '2024-11-29T18:00:00Z', 'after-hours', '2024-11-29'],
  ])('%s', async (_, at, state, date) => {
    const answer = await clock(at)
    expect(answer).toMatchObject({ market_state: state, trading_date: date, is_half_day: true })
    expect(answer.session).toMatchObject({
      closes: '2024-11-29T18:00:00Z',
      after_hours_end: '2024-11-29T22:00:00Z',
    })
  })

  test.each([
    ['a holiday', '2025-07-04T15:00:00Z', 'closed', '2025-07-04'],
    ['Sunday evening, Monday in UTC', '2024-08-12T03:00:00Z', 'weekend', '2024-08-11'],
    ['the Sunday of the clock change', '2024-03-10T12:00:00Z', 'weekend', '2024-03-10'],
    ['a day of mourning', '2025-01-09T15:00:00Z', 'closed', '2025-01-09'],
  ])('%s has none', async (_, at, state, date) => {
    expect(await clock(at)).toMatchObject({
      market_state: state,
      trading_date: date,
      is_trading_day: false,
      is_half_day: false,
      session: null,
    })
  })
})

test.each([
  ['no zone', '2024-12-30T14:30:00'],
  ['no such day', '2024-02-30T14:30:00Z'],
  ['before the calendar is known', '1999-12-31T23:59:59Z'],
  ['after it', '2100-01-01T00:00:00Z'],
  ['no instant', "now'; select 1; --"],
  ['a zero byte', '2024-12-30T14:30:00Z\0'],
])('an instant with %s is refused by name', async (_, at) => {
  await expect(clock(at)).rejects.toThrow(/market\/clock: at: must/)
})

test('an operation of a transaction may read it', async () => {
  const { session_id } = await client.tool('start_db_session')
  const { results } = await client.tool('execute_transaction', {
    session_id,
    operations: [{ resource: 'market/clock?at=2024-12-30T14:30:00Z' }],
  })
  expect(results).toMatchObject([{ market_state: 'regular' }])
})
