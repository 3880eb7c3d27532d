import type { Clock } from '../../lib/clock.js'
import {
  type MarketState,
  marketState,
  newYorkDate,
  newYorkDay,
  nextSessionTime,
  type Session,
  sessionOf,
} from '../../lib/market-clock.js'
import { instantText } from '../../lib/utc-text.js'

/** What the hours are made from. */
export interface ClockDeps {
  readonly clock: Clock
}

/** A day's trading, as instants. */
interface SessionTimes {
  readonly pre_market_opens: string
  readonly opens: string
  readonly closes: string
  readonly after_hours_end: string
}

/** The market at an instant. */
export interface MarketClock {
  readonly at: string
  readonly market_state: MarketState
  readonly timezone: string
  readonly trading_date: string
  readonly is_trading_day: boolean
  readonly is_half_day: boolean
  readonly session: SessionTimes | null
  readonly next_open: string
  readonly next_close: string
}

/** The hours of the market. */
export class ClockService {
  readonly #clock: Clock

  constructor({ clock }: ClockDeps) {
    this.#clock = clock
  }

  /** The market at an instant, now unless one is given. */
  at(instant?: string): MarketClock {
    const ms = instant === undefined ? this.#clock.now().getTime() : Date.parse(instant)
    const session = sessionOf(newYorkDay(ms))
    return {
      at: instantText(ms),
      market_state: marketState(ms),
      timezone: 'America/New_York',
      trading_date: newYorkDate(ms),
      is_trading_day: session !== null,
      is_half_day: session?.is_half_day ?? false,
      session: session && timesOf(session),
      next_open: instantText(nextSessionTime(ms, ({ opens }) => opens)),
      next_close: instantText(nextSessionTime(ms, ({ closes }) => closes)),
    }
  }
}

const timesOf = ({ pre_market_opens, opens, closes, after_hours_end }: Session): SessionTimes => ({
  pre_market_opens: instantText(pre_market_opens),
  opens: instantText(opens),
  closes: instantText(closes),
  after_hours_end: instantText(after_hours_end),
})
