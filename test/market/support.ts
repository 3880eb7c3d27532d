import { randomBytes } from 'node:crypto'

/** A valid story; each test says what matters to it. */
export const story = (overrides: Record<string, unknown> = {}) => ({
  headline: 'Apple opens a new campus in Austin',
  source: 'Reuters',
  symbol: 'AAPL',
  published_timestamp: '2024-08-12T14:00:00Z',
  catalyst_indicators: { keywords: ['technology'], urgency_score: 0.5, market_state: 'regular' },
  ...overrides,
})

/** Words nobody else uses, so that tests sharing a database do not meet. */
export const uniqueHeadline = (): string =>
  Array.from({ length: 8 }, () => `w${randomBytes(4).toString('hex')}`).join(' ')

/** A symbol nobody else uses. */
export const uniqueSymbol = (): string => `T${randomBytes(4).toString('hex').toUpperCase()}`

/** The instant some minutes after another. */
export const minutesAfter = (instant: string, minutes: number): string =>
  new Date(Date.parse(instant) + minutes * 60_000).toISOString()
