import { newYorkDay, newYorkInstant, type Session, sessionOf } from './market-clock.js'
import { barMinutes, mondayOf, type Timeframe } from './timeframes.js'

/** The time that a bar stands for, in milliseconds since 1970. Its start identifies the bar. */
export interface BarInterval {
  readonly start: number
  /** From then on its close is known; for days and weeks the close of their last session. */
  readonly end: number
}

/** A bar that regular trading makes; of days and weeks it begins to trade after its start. */
interface ExpectedBar extends BarInterval {
  readonly opens: number
}

const DAY_MS = 86_400_000
const MINUTE_MS = 60_000
const WEEKDAYS = 5

/**
 * The interval that a bar's stamp names, or null where the exchange has none: a day or a week has
 * sessions. Slots within a day are counted from midnight UTC.
 */
export function barInterval(timeframe: Timeframe, stampMs: number): BarInterval | null {
  if (timeframe === '1d') return intervalOf(dayInterval(stampDay(stampMs), 1))
  if (timeframe === '1w') {
    const day = stampDay(stampMs)
    const monday = mondayOf(day)
    return day - monday < WEEKDAYS ? intervalOf(dayInterval(monday, WEEKDAYS)) : null
  }
  const length = barMinutes(timeframe) * MINUTE_MS
  const start = Math.floor(stampMs / length) * length
  return { start, end: start + length }
}

/**
 * The calendar day that the stamp of a day's bar names. Midnight UTC is how feeds write a date; every
 * other instant (midnight, open or close in New York) lies in the New York day that it names.
 */
const stampDay = (ms: number): number => (ms % DAY_MS === 0 ? ms / DAY_MS : newYorkDay(ms))

const intervalOf = (bar: ExpectedBar | null): BarInterval | null =>
  bar && { start: bar.start, end: bar.end }

/** From midnight of a New York day to the last close of so many days. */
function dayInterval(first: number, days: number): ExpectedBar | null {
  const sessions = Array.from({ length: days }, (_, i) => sessionOf(first + i)).filter(isSession)
  const [opening, closing] = [sessions[0], sessions.at(-1)]
  if (!opening || !closing) return null
  return { start: newYorkInstant(first, 0), opens: opening.opens, end: closing.closes }
}

const isSession = (session: Session | null): session is Session => session !== null

/** The next bars that regular trading makes and that begin to trade at an instant or later, in order. */
export function expectedBars(timeframe: Timeframe, fromMs: number, count: number): BarInterval[] {
  const found: BarInterval[] = []
  const isWeekly = timeframe === '1w'
  const today = newYorkDay(fromMs)
  for (let day = isWeekly ? mondayOf(today) : today; ; day += isWeekly ? 7 : 1) {
    for (const { start, opens, end } of barsOfDay(timeframe, day)) {
      if (opens >= fromMs) found.push({ start, end })
      if (found.length === count) return found
    }
  }
}

function barsOfDay(timeframe: Timeframe, day: number): ExpectedBar[] {
  if (timeframe === '1d' || timeframe === '1w') {
    return [dayInterval(day, timeframe === '1d' ? 1 : WEEKDAYS)].filter((one) => one !== null)
  }
  const session = sessionOf(day)
  if (!session) return []
  const length = barMinutes(timeframe) * MINUTE_MS
  const first = Math.floor(session.opens / length) * length
  const slots = Math.ceil((session.closes - first) / length)
  return Array.from({ length: slots }, (_, i) => {
    const start = first + i * length
    return { start, opens: start, end: start + length }
  })
}
