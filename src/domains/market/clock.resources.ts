import { z } from 'zod'
import { MARKET_STATES } from '../../lib/market-clock.js'
import { instant } from '../../lib/schemas.js'
import { resourceFor } from '../../mcp/define.js'
import type { ClockService } from './clock.service.js'

const resource = resourceFor<ClockService>()

/** The calendar of the exchange is known by its rules from 2000 on, and rules change. */
const FIRST = Date.UTC(2000, 0)
const END = Date.UTC(2100, 0)

const isKnown = (value: string): boolean => {
  const ms = Date.parse(value)
  // An instant that is none has been refused already.
  return Number.isNaN(ms) || (ms >= FIRST && ms < END)
}

const sessionTimes = z.object({
  pre_market_opens: z.string(),
  opens: z.string(),
  closes: z.string(),
  after_hours_end: z.string(),
})

export const marketClock = resource({
  path: 'market/clock',
  title: 'Market clock',
  description:
    'What the US stock market is doing now or at an instant: state, New York trading day, its session times in UTC, half days and holidays, and when regular trading opens and closes next.',
  input: z.object({
    at: instant()
      .refine(isKnown, 'must lie in 2000-2099, for which the calendar is known')
      .optional()
      .describe('Now, when left out.'),
  }),
  output: z.object({
    at: z.string(),
    market_state: z.enum(MARKET_STATES),
    timezone: z.string(),
    trading_date: z.string().describe('The calendar day in New York.'),
    is_trading_day: z.boolean(),
    is_half_day: z.boolean(),
    session: sessionTimes.nullable().describe('Of that day; null when it is no trading day.'),
    next_open: z.string().describe('Of regular trading, after that instant.'),
    next_close: z.string().describe('Of regular trading, after that instant.'),
  }),
  read: async ({ at }, { service }) => service.at(at),
})
