import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MARKET_STATES, marketState } from '../../src/lib/market-clock.js'
import { dayNumber, tradingDay } from '../../src/lib/nyse-calendar.js'

const stateAt = (instant: string) => marketState(Date.parse(instant))
const dayOf = (date: string) => {
  const [year = 0, month = 0, day = 0] = date.split('-').map(Number)
  return tradingDay(dayNumber(year, month, day))
}

describe('the state of the market', () => {
  test.each([
    ['2024-12-30T14:29:59Z', 'pre-market'],
    ['2024-12-30T14:30:00Z', 'regular'],
    ['2025-07-08T13:45:00Z', 'regular'],
    ['2025-07-04T15:00:00Z', 'closed'],
    ['2024-12-30T08:59:59Z', 'closed'],
    ['2024-12-30T09:00:00Z', 'pre-market'],
    ['2024-12-30T20:59:59Z', 'regular'],
    ['2024-12-30T21:00:00Z', 'after-hours'],
    ['2024-12-31T00:59:59Z', 'after-hours'],
    ['2024-12-31T01:00:00Z', 'closed'],
    ['2024-08-10T15:00:00Z', 'weekend'],
    // 23:30 on Friday in New York is Saturday in UTC.
    ['2024-08-10T03:30:00Z', 'closed'],
    // 23:00 on Sunday in New York is Monday in UTC.
    ['2024-08-12T03:00:00Z', 'weekend'],
  ])('at %s it is %s', (instant, state) => {
    expect(stateAt(instant)).toBe(state)
  })

  test('on a half day regular trading ends at 13:00 and late trading at 17:00', () => {
    expect(stateAt('2024-11-29T17:59:59Z')).toBe('regular')
    expect(stateAt('2024-11-29T18:00:00Z')).toBe('after-hours')
    expect(stateAt('2024-11-29T21:59:59Z')).toBe('after-hours')
    expect(stateAt('2024-11-29T22:00:00Z')).toBe('closed')
  })

  test('the session follows the clock changes of New York, not a fixed offset', () => {
    expect(stateAt('2024-03-08T14:29:59Z')).toBe('pre-market')
    expect(stateAt('2024-03-11T13:30:00Z')).toBe('regular')
    expect(stateAt('2024-11-01T13:30:00Z')).toBe('regular')
    expect(stateAt('2024-11-04T13:30:00Z')).toBe('pre-market')
  })

  test('on a changing day itself the instant decides: local midnight is 05:00Z, then 04:00Z', () => {
    const sunday = Date.parse('2024-03-10T00:00:00Z')
    expect(marketState(sunday + 5 * 3_600_000 - 1)).toBe('weekend')
    expect(stateAt('2024-03-11T03:59:59Z')).toBe('weekend')
    expect(stateAt('2024-03-11T04:00:00Z')).toBe('closed')
  })

  test('every instant from 1970 on has one of the five states', () => {
    const instants = fc.integer({ min: 0, max: Date.parse('2100-01-01T00:00:00Z') })
    fc.assert(fc.property(instants, (ms) => MARKET_STATES.includes(marketState(ms))))
  })
})

describe('the calendar of the exchange', () => {
  // The holidays the exchange published for these years, and its half days.
  const published: Record<number, { closed: string[]; half: string[] }> = {
    2021: {
      closed: ['01-01', '01-18', '02-15', '04-02', '05-31', '07-05', '09-06', '11-25', '12-24'],
      half: ['11-26'],
    },
    2022: {
      closed: ['01-17', '02-21', '04-15', '05-30', '06-20', '07-04', '09-05', '11-24', '12-26'],
      half: ['11-25'],
    },
    2023: {
      closed: [
        ...['01-02', '01-16', '02-20', '04-07', '05-29', '06-19', '07-04', '09-04', '11-23'],
        '12-25',
      ],
      half: ['07-03', '11-24'],
    },
    2024: {
      closed: [
        ...['01-01', '01-15', '02-19', '03-29', '05-27', '06-19', '07-04', '09-02', '11-28'],
        '12-25',
      ],
      half: ['07-03', '11-29', '12-24'],
    },
    2025: {
      closed: [
        ...['01-01', '01-09', '01-20', '02-17', '04-18', '05-26', '06-19', '07-04', '09-01'],
        ...['11-27', '12-25'],
      ],
      half: ['07-03', '11-28', '12-24'],
    },
    2026: {
      closed: [
        ...['01-01', '01-19', '02-16', '04-03', '05-25', '06-19', '07-03', '09-07', '11-26'],
        '12-25',
      ],
      half: ['11-27', '12-24'],
    },
    2027: {
      closed: [
        ...['01-01', '01-18', '02-15', '03-26', '05-31', '06-18', '07-05', '09-06', '11-25'],
        '12-24',
      ],
      half: ['11-26'],
    },
  }

  test.each(Object.entries(published))('of %s is the published one', (year, { closed, half }) => {
    const days = { closed: [] as string[], half: [] as string[] }
    for (let day = dayNumber(Number(year), 1, 1); day < dayNumber(Number(year) + 1, 1, 1); day++) {
      const kind = tradingDay(day)
      const date = new Date(day * 86_400_000).toISOString().slice(5, 10)
      if (kind === 'closed' || kind === 'half') days[kind].push(date)
    }
    expect(days).toEqual({ closed, half })
  })

  test('closures outside the rules are known', () => {
    for (const date of ['2012-10-29', '2012-10-30', '2018-12-05', '2025-01-09']) {
      expect(dayOf(date)).toBe('closed')
    }
  })

  test('a New Year on a Saturday does not close the Friday before', () => {
    expect(dayOf('2021-12-31')).toBe('full')
  })

  test('Juneteenth is a holiday only since 2022', () => {
    expect(dayOf('2020-06-19')).toBe('full')
  })
})
