import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'

const { client } = await startApp()
const AT = '2024-08-12T15:00:00Z'

const tell = (symbol: string, headline: string) =>
  client.tool('persist_news_catalyst', {
    headline: `${symbol} ${headline}`,
    source: 'Reuters',
    symbol,
    published_timestamp: '2024-08-12T14:00:00Z',
  })
const detect = (symbol: string, direction: string, alignment_score: number) =>
  client.tool('persist_pattern_detection', {
    symbol,
    pattern_type: 'bull_flag',
    confidence: 0.7,
    direction,
    detected_at: AT,
    catalyst_alignment: { has_catalyst: true, catalyst_type: 'earnings', alignment_score },
  })

test.each([
  ['UPA', 'beats estimates', 'bullish', 0.5, false],
  ['UPB', 'beats estimates', 'bullish', -0.5, true],
  ['UPC', 'beats estimates', 'bearish', 0.5, true],
  ['UPD', 'beats estimates', 'neutral', 0.5, false],
  ['DNA', 'misses estimates', 'bearish', 0.5, false],
  ['DNB', 'misses estimates', 'bullish', 0.5, true],
  ['ZRA', 'reports earnings', 'bullish', -0.5, false],
])(
  '%s %s, a %s pattern aligned by %d: warned is %s',
  async (symbol, headline, direction, score, warned) => {
    await tell(symbol, headline)
    const { warnings } = await detect(symbol, direction, score)
    expect(warnings.length > 0).toBe(warned)
    if (warned) expect(warnings[0]).toMatch(/^catalyst_alignment: /)
  },
)
