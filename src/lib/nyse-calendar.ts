/**
 * The trading calendar of the New York Stock Exchange by its own rules (NYSE Rule 7.2 and
 * https://www.nyse.com/markets/hours-calendars), valid from 2000 on. Days are counted from
 * 1970-01-01, as New York's wall calendar shows them.
 */

/** How the exchange trades on one New York calendar day. */
export type TradingDay = 'full' | 'half' | 'closed' | 'weekend'

const DAY_MS = 86_400_000
const [SUNDAY, MONDAY, THURSDAY, SATURDAY] = [0, 1, 4, 6] as const
const [JANUARY, FEBRUARY, MAY, JUNE, JULY, SEPTEMBER, OCTOBER, NOVEMBER, DECEMBER] = [
  1, 2, 5, 6, 7, 9, 10, 11, 12,
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
    nthWeekday(year, JANUARY, MONDAY, 3), // Martin Luther King, Jr. Day
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
 * Christmas Eve from Monday to Thursday.
 */
function halfDays(year: number): number[] {
  const independence = dayNumber(year, JULY, 4)
  const on = weekday(independence)
  const fridayAfter = on === THURSDAY && year < 2013
  const eve = dayNumber(year, DECEMBER, 24)
  return [
    thanksgiving(year) + 1,
    ...(on > MONDAY && on < SATURDAY ? [independence + (fridayAfter ? 1 : -1)] : []),
    ...(weekday(eve) >= MONDAY && weekday(eve) <= THURSDAY ? [eve] : []),
  ]
}

/** Closures and early closes outside the rules, each announced by the exchange on its own. */
const SPECIAL_DAYS: ReadonlyMap<number, TradingDay> = new Map([
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
  return SPECIAL_DAYS.get(day) ?? exceptions(year).get(day) ?? 'full'
}
