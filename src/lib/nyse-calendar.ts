/**
 * The trading calendar of the New York Stock Exchange by its own rules (NYSE Rule 7.2 and
 * https://www.nyse.com/markets/hours-calendars), valid from 1990 on; of the years before only weekends
 * are known. Days are counted from 1970-01-01, as New York's wall calendar shows them.
 */

/** How the exchange trades on one New York calendar day. */
export type TradingDay = 'full' | 'half' | 'closed' | 'weekend'

const DAY_MS = 86_400_000
const [SUNDAY, MONDAY, THURSDAY, SATURDAY] = [0, 1, 4, 6] as const
const [JANUARY, FEBRUARY, APRIL, MAY, JUNE, JULY, SEPTEMBER, OCTOBER, NOVEMBER, DECEMBER] = [
  1, 2, 4, 5, 6, 7, 9, 10, 11, 12,
] as const

/** The number of a calendar day; months count from 1. */
export const dayNumber = (year: number, month: number, day: number): number =>
  Date.UTC(year, month - 1, day) / DAY_MS

const weekday = (day: number): number => (((day + THURSDAY) % 7) + 7) % 7

/** The n-th such weekday of a month. */
function nthWeekday(year: number, month: number, wanted: number, n: number): number {
  const first = dayNumber(year, month, 1)
  return first + ((wanted - weekday(first) + 7) % 7) + 7 * (n - 1)
}

function lastMondayOfMay(year: number): number {
  const last = dayNumber(year, MAY, 31)
  return last - ((weekday(last) - MONDAY + 7) % 7)
}

/** A holiday on a Saturday is observed on the Friday before, on a Sunday on the Monday after. */
function observed(day: number): number {
  if (weekday(day) === SATURDAY) return day - 1
  return weekday(day) === SUNDAY ? day + 1 : day
}

/**
 * New Year's Day alone is not observed on a Friday: Rule 7.2 keeps the exchange open when that
 * Friday ends a yearly accounting period, as on 2010-12-31 and 2021-12-31.
 */
function newYearsDay(year: number): number {
  const day = dayNumber(year, JANUARY, 1)
  return weekday(day) === SUNDAY ? day + 1 : day
}

/** Easter Sunday by the anonymous Gregorian algorithm (Meeus, Astronomical Algorithms, ch. 8). */
function easter(year: number): number {
  const a = year % 19
  const b = Math.floor(year / 100)
  const c = year % 100
  const d =
    (19 * a + b - Math.floor(b / 4) - Math.floor((b - Math.floor((b + 8) / 25) + 1) / 3) + 15) % 30
  const e = (32 + 2 * (b % 4) + 2 * Math.floor(c / 4) - d - (c % 4)) % 7
  const f = d + e - 7 * Math.floor((a + 11 * d + 22 * e) / 451) + 114
  return dayNumber(year, Math.floor(f / 31), (f % 31) + 1)
}

const thanksgiving = (year: number): number => nthWeekday(year, NOVEMBER, THURSDAY, 4)

function holidays(year: number): number[] {
  return [
    newYearsDay(year),
    ...(year >= 1998 ? [nthWeekday(year, JANUARY, MONDAY, 3)] : []), // Martin Luther King, Jr. Day
    nthWeekday(year, FEBRUARY, MONDAY, 3), // Washington's Birthday
    easter(year) - 2, // Good Friday
    lastMondayOfMay(year), // Memorial Day
    ...(year >= 2022 ? [observed(dayNumber(year, JUNE, 19))] : []), // Juneteenth
    observed(dayNumber(year, JULY, 4)),
    nthWeekday(year, SEPTEMBER, MONDAY, 1), // Labor Day
    thanksgiving(year),
    observed(dayNumber(year, DECEMBER, 25)),
  ]
}

/**
 * Days that close at 13:00: the day before Independence Day when both are trading weekdays (for a
 * Thursday holiday only since 2013, before that the Friday after), the day after Thanksgiving, and
 * Christmas Eve from Monday to Thursday. The first two are younger than the third.
 */
function halfDays(year: number): number[] {
  const independence = dayNumber(year, JULY, 4)
  const on = weekday(independence)
  const fridayAfter = on === THURSDAY && year < 2013
  const eve = dayNumber(year, DECEMBER, 24)
  return [
    ...(year >= 1992 ? [thanksgiving(year) + 1] : []),
    ...(year >= 1992 && on > MONDAY && on < SATURDAY
      ? [independence + (fridayAfter ? 1 : -1)]
      : []),
    ...(weekday(eve) >= MONDAY && weekday(eve) <= THURSDAY ? [eve] : []),
  ]
}

/** Closures and early closes outside the rules, each announced by the exchange on its own. */
const SPECIAL_DAYS: ReadonlyMap<number, TradingDay> = new Map([
  [dayNumber(1994, APRIL, 27), 'closed'], // mourning for President Nixon
  [dayNumber(1997, DECEMBER, 26), 'half'],
  ...[11, 12, 13, 14].map((day): [number, TradingDay] => [
    dayNumber(2001, SEPTEMBER, day),
    'closed',
  ]),
  [dayNumber(2003, DECEMBER, 26), 'half'],
  [dayNumber(2004, JUNE, 11), 'closed'], // mourning for President Reagan
  [dayNumber(2007, JANUARY, 2), 'closed'], // mourning for President Ford
  [dayNumber(2012, OCTOBER, 29), 'closed'], // Hurricane Sandy
  [dayNumber(2012, OCTOBER, 30), 'closed'],
  [dayNumber(2018, DECEMBER, 5), 'closed'], // mourning for President G. H. W. Bush
  [dayNumber(2025, JANUARY, 9), 'closed'], // mourning for President Carter
])

/** Closes at other minutes than the rules say: early holiday eves, snow, a price limit, a fault. */
const SPECIAL_CLOSES: ReadonlyMap<number, number> = new Map([
  [dayNumber(1990, DECEMBER, 24), 14 * 60],
  [dayNumber(1991, DECEMBER, 24), 14 * 60],
  [dayNumber(1992, NOVEMBER, 27), 14 * 60],
  [dayNumber(1992, DECEMBER, 24), 14 * 60],
  [dayNumber(1994, FEBRUARY, 11), 14 * 60 + 30],
  [dayNumber(1996, JANUARY, 8), 14 * 60],
  [dayNumber(1997, OCTOBER, 27), 15 * 60 + 30],
  [dayNumber(2005, JUNE, 1), 15 * 60 + 56],
])

const FIRST_KNOWN_YEAR = 1990

const years = new Map<number, ReadonlyMap<number, TradingDay>>()

/** The exceptional days of a year; kept, because a year has about a dozen. */
function exceptions(year: number): ReadonlyMap<number, TradingDay> {
  const known = years.get(year)
  if (known) return known
  const days = new Map<number, TradingDay>([
    ...halfDays(year).map((day): [number, TradingDay] => [day, 'half']),
    ...holidays(year).map((day): [number, TradingDay] => [day, 'closed']),
  ])
  years.set(year, days)
  return days
}

/** How the exchange trades on a New York calendar day given by its number. */
export function tradingDay(day: number): TradingDay {
  const on = weekday(day)
  if (on === SATURDAY || on === SUNDAY) return 'weekend'
  const year = new Date(day * DAY_MS).getUTCFullYear()
  if (year < FIRST_KNOWN_YEAR) return 'full'
  return SPECIAL_DAYS.get(day) ?? exceptions(year).get(day) ?? 'full'
}

/** The minute of a trading day at which its core session ended, where the rules would say another. */
export const specialClose = (day: number): number | null => SPECIAL_CLOSES.get(day) ?? null
