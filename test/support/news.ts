let counter = 0

/** Arguments of a valid news article; every call makes another story. */
export function article(overrides: Record<string, unknown> = {}): Record<string, unknown> {
  counter++
  return {
    headline: `Company ${counter} reports quarterly earnings above expectations, run ${process.pid}`,
    source: 'Reuters',
    symbol: 'AAPL',
    published_timestamp: '2024-08-09T11:04:00Z',
    catalyst_indicators: { keywords: ['earnings'], urgency_score: 0.5, market_state: 'pre-market' },
    ...overrides,
  }
}
