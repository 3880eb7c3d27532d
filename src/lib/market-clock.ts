import { specialClose, tradingDay } from './nyse-calendar.js'

/** What the US stock market is doing, at an instant. */
export const MARKET_STATES = ['pre-market', 'regular', 'after-hours', 'closed', 'weekend'] as const

/** One of the market's states. */
export type MarketState = (typeof MARKET_STATES)[number]

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/**
 * New York wall times in minutes: 04:00 to 20:00 with the core session 09:30 to 16:00, on half days
 * to 13:00 with late trading until 17:00 (https://www.nyse.com/markets/hours-calendars).
 */
const PRE_MARKET_OPENS = 4 * 60
const OPENS = 9 * 60 + 30
const CLOSING: Readonly<Record<'full' | 'half', { closes: number; ends: number }>> = {
  full: { closes: 16 * 60, ends: 20 * 60 },
  half: { closes: 13 * 60, ends: 17 * 60 },
}

const zone = new Intl.DateTimeFormat('en-US', {
  timeZone: 'America/New_York',
  timeZoneName: 'longOffset',
})

/** New York's distance from UTC by the IANA rules of this Node, such as -4 h on a summer's day. */
function offsetAt(ms: number): number {
  const match = /GMT([+-])(\d\d):(\d\d)/.exec(zone.format(ms))
  if (!match) return 0
  const [, sign, hours, minutes] = match
  return (sign === '-' ? -1 : 1) * (Number(hours) * HOUR_MS + Number(minutes) * MINUTE_MS)
}

/** A month of one offset, or of two with the instant of the change between them. */
interface Month {
  readonly before: number
  readonly after: number
  readonly change_ms: number
}

const months = new Map<number, Month>()

/** Asking Intl takes microseconds, so each month asks once; New York changes at most once in one. */
function offset(ms: number): number {
  const date = new Date(ms)
  const number = date.getUTCFullYear() * 12 + date.getUTCMonth()
  const month = months.get(number) ?? readMonth(number)
  return ms < month.change_ms ? month.before : month.after
}

/** `Date.UTC` takes years below 100 for 19xx, so months are counted from 1970. */
const startOfMonth = (number: number): number => Date.UTC(1970, number - 1970 * 12)

function readMonth(number: number): Month {
  const [start, end] = [startOfMonth(number), startOfMonth(number + 1)]
  const [before, after] = [offsetAt(start), offsetAt(end)]
  const change_ms = before === after ? start : findChange(start, end, before)
  const month = { before, after, change_ms }
  months.set(number, month)
  return month
}

/** Halves the time until the minute of the change is left. */
function findChange(start: number, end: number, before: number): number {
  if (end - start <= MINUTE_MS) return end
  const middle = start + Math.floor((end - start) / 2 / MINUTE_MS) * MINUTE_MS
  return offsetAt(middle) === before
    ? findChange(middle, end, before)
    : findChange(start, middle, before)
}

/** When the core session and late trading of a full or half day end. */
const closingOf = (day: number, kind: 'full' | 'half') => ({
  closes: specialClose(day) ?? CLOSING[kind].closes,
  ends: CLOSING[kind].ends,
})

function stateOfMinute(minute: number, day: number): MarketState {
  const kind = tradingDay(day)
  if (kind === 'weekend' || kind === 'closed') return kind
  const { closes, ends } = closingOf(day, kind)
  if (minute < PRE_MARKET_OPENS || minute >= ends) return 'closed'
  if (minute < OPENS) return 'pre-market'
  return minute < closes ? 'regular' : 'after-hours'
}

/** The state of the market at an instant, given in milliseconds since 1970. */
export function marketState(ms: number): MarketState {
  const local = ms + offset(ms)
  const day = Math.floor(local / DAY_MS)
  return stateOfMinute(Math.floor((local - day * DAY_MS) / MINUTE_MS), day)
}

/** The number of the New York calendar day of an instant, counted from 1970-01-01. */
export const newYorkDay = (ms: number): number => Math.floor((ms + offset(ms)) / DAY_MS)

/** The New York calendar day of an instant, such as `2024-12-30`. */
export const newYorkDate = (ms: number): string =>
  new Date(newYorkDay(ms) * DAY_MS).toISOString().slice(0, 10)

/** The instant of a New York wall time, given as a day's number and minutes after its midnight. */
export function newYorkInstant(day: number, minute: number): number {
  const local = day * DAY_MS + minute * MINUTE_MS
  return local - offset(local - offset(local))
}

/** A day's trading, as instants in milliseconds. */
export interface Session {
  readonly pre_market_opens: number
  readonly opens: number
  readonly closes: number
  readonly after_hours_end: number
  readonly is_half_day: boolean
}

/** The trading of a New York day, or null on weekends and holidays. */
export function sessionOf(day: number): Session | null {
  const kind = tradingDay(day)
  if (kind === 'weekend' || kind === 'closed') return null
  const { closes, ends } = closingOf(day, kind)
  return {
    pre_market_opens: newYorkInstant(day, PRE_MARKET_OPENS),
    opens: newYorkInstant(day, OPENS),
    closes: newYorkInstant(day, closes),
    after_hours_end: newYorkInstant(day, ends),
    is_half_day: kind === 'half',
  }
}

/** The longest closure since 2000 was six days, in September 2001. */
const MAX_DAYS_CLOSED = 14

/** The first such time of a trading day that lies after an instant, in milliseconds. */
export function nextSessionTime(ms: number, timeOf: (session: Session) => number): number {
  const today = newYorkDay(ms)
  for (let day = today; day <= today + MAX_DAYS_CLOSED; day++) {
    const session = sessionOf(day)
    if (session && timeOf(session) > ms) return timeOf(session)
  }
  throw new Error('the calendar has no trading day within two weeks')
}

/** How many minutes of regular trading lie between two instants, the earlier one first. */
export function tradingMinutes(from: number, until: number): number {
  let minutes = 0
  for (let day = newYorkDay(from); day <= newYorkDay(until); day++) {
    const session = sessionOf(day)
    if (!session) continue
    const overlap = Math.min(until, session.closes) - Math.max(from, session.opens)
    minutes += Math.max(0, overlap) / MINUTE_MS
  }
  return minutes
}
