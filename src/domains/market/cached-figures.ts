import type { Queryable } from '../../platform/postgres/queryable.js'
import type { Buildable } from '../cache/read-through.service.js'
import { latestIndicators, type SeriesIndicator, timeframesOf } from './indicators.sql.js'
import { listNews } from './news-reading.js'
import type { NewsPage } from './news-reading.schemas.js'

const NEWEST_STORIES = 100
const NEWEST_BARS = 20

/** Figures of a symbol's newest stories: how strong they are, not which way they point. */
export const cachedSentiment = (db: Queryable, symbol: string) =>
  buildable({
    type: 'sentiment',
    name: symbol,
    load: async () =>
      sentimentOf(symbol, (await listNews(db, { symbol, limit: NEWEST_STORIES })).items),
    symbolsOf: ({ companies }) => [symbol, ...companies],
    isKept: ({ stories }) => stories > 0,
  })

/** The newest indicators of a symbol, one entry for each timeframe that it has bars of. */
export async function cachedIndicators(db: Queryable, symbol: string) {
  const series = await db.many(timeframesOf(symbol))
  return series.map(({ timeframe }) =>
    buildable({
      type: 'indicators',
      name: `${symbol}:${timeframe}`,
      load: async () =>
        indicatorsOf(await db.many(latestIndicators(symbol, timeframe, NEWEST_BARS))),
      symbolsOf: () => [symbol],
      isKept: ({ latest }) => latest !== null,
    }),
  )
}

/** Infers what is built from its loader. */
const buildable = <T>(one: Buildable<T>): Buildable<T> => one

/** Counts, mean and greatest catalyst score, and kinds of the stories; nothing is estimated. */
function sentimentOf(symbol: string, stories: NewsPage['items']) {
  const scores = stories.map(({ catalyst_score }) => catalyst_score)
  const kinds: Record<string, number> = {}
  for (const { catalyst_type } of stories) {
    const kind = catalyst_type ?? 'none'
    kinds[kind] = (kinds[kind] ?? 0) + 1
  }
  return {
    symbol,
    stories: stories.length,
    mean_score: scores.length === 0 ? null : rounded(sum(scores) / scores.length),
    max_score: scores.length === 0 ? null : Math.max(...scores),
    by_catalyst_type: kinds,
    newest_published_at: stories[0]?.published_at ?? null,
    oldest_published_at: stories.at(-1)?.published_at ?? null,
    /** Whose stories name the symbol, itself among them; null for one of no company. */
    companies: [...new Set(stories.map((story) => story.symbol))],
  }
}

const indicatorsOf = (newestFirst: readonly SeriesIndicator[]) => ({
  latest: newestFirst[0] ?? null,
  newest_first: newestFirst,
})

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)

/** As many decimals as scores have. */
const rounded = (value: number): number => Math.round(value * 1_000) / 1_000
