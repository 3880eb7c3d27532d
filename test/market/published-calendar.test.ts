import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'

const { client } = await startApp()

const clock = (day: string, at: string) => client.resource(`market/clock?at=${day}T${at}`)

/** Days as the exchange announced them; noon of New York is 16:00 or 17:00 in UTC. */
test.each([
  ...['2001-09-11', '2001-09-12', '2001-09-13', '2001-09-14'].map((day) => [day, 'the attacks']),
  ['2004-06-11', 'mourning for President Reagan'],
  ['2007-01-02', 'mourning for President Ford'],
  ['2012-10-29', 'Hurricane Sandy'],
  ['2012-10-30', 'Hurricane Sandy'],
  ['2018-12-05', 'mourning for President G. H. W. Bush'],
  ['2025-01-09', 'mourning for President Carter'],
  ['2000-04-21', 'Good Friday'],
  ['2004-12-24', 'Christmas on a Saturday'],
  ['2022-06-20', 'Juneteenth on a Sunday'],
  ['2030-12-25', 'Christmas'],
])('the exchange was closed on %s: %s', async (day) => {
  expect(await clock(day, '17:00:00Z')).toMatchObject({
    market_state: 'closed',
    trading_date: day,
    is_trading_day: false,
    is_half_day: false,
    session: null,
  })
})

test.each([
  ['2001-11-23', '18:00', 'the day after Thanksgiving'],
  ['2002-07-05', '17:00', 'the Friday after Independence Day'],
  ['2003-12-26', '18:00', 'the day after Christmas'],
  ['2012-07-03', '17:00', 'the day before Independence Day'],
  ['2013-07-03', '17:00', 'the day before Independence Day'],
  ['2024-07-03', '17:00', 'the day before Independence Day'],
  ['2018-11-23', '18:00', 'the day after Thanksgiving'],
  ['2024-11-29', '18:00', 'the day after Thanksgiving'],
  ['2025-11-28', '18:00', 'the day after Thanksgiving'],
  ['2024-12-24', '18:00', 'Christmas Eve'],
  ['2005-06-01', '19:56', 'a fault of its systems, which closed it four minutes early'],
])('the exchange closed early on %s, at %s in UTC: %s', async (day, closes) => {
  const before = new Date(Date.parse(`${day}T${closes}Z`) - 1_000).toISOString().slice(11)
  expect(await clock(day, before)).toMatchObject({ market_state: 'regular', trading_date: day })
  const answer = await clock(day, `${closes}:00Z`)
  expect(answer).toMatchObject({ market_state: 'after-hours', is_trading_day: true })
  expect(answer.session.closes).toBe(`${day}T${closes}:00Z`)
})

test.each([
  ['2001-09-17', '20:00', 'the first day after the attacks'],
  ['2007-01-03', '21:00', 'after the mourning'],
  ['2012-10-31', '20:00', 'after the storm'],
  ['2010-12-31', '21:00', 'New Year is a Saturday'],
  ['2021-12-31', '21:00', 'New Year is a Saturday'],
  ['2020-06-19', '20:00', 'Juneteenth was no holiday yet'],
  ['2024-07-05', '20:00', 'the day after Independence Day'],
  ['2030-12-26', '21:00', 'the day after Christmas'],
])('%s was a full day until %s in UTC: %s', async (day, closes) => {
  const answer = await clock(day, '17:00:00Z')
  expect(answer).toMatchObject({
    market_state: 'regular',
    is_trading_day: true,
    is_half_day: false,
  })
  expect(answer.session.closes).toBe(`${day}T${closes}:00Z`)
})

test.each(['2001-09-15', '2012-10-28', '2024-07-06', '2024-12-29', '2025-01-04', '2030-06-16'])(
  '%s was a weekend',
  async (day) => {
    expect(await clock(day, '17:00:00Z')).toMatchObject({
      market_state: 'weekend',
      trading_date: day,
      is_trading_day: false,
    })
  },
)
