import { CACHE_TYPES, type CacheType } from '../../lib/marks.js'

/** How the keys of each cache type begin. */
export const PREFIXES: Readonly<Record<CacheType, string>> = {
  patterns: 'pattern:',
  indicators: 'indicators:',
  sentiment: 'sentiment:',
  news: 'news:',
}

/** Those beginnings, for people. */
export const KNOWN_PREFIXES = Object.values(PREFIXES).join(', ')

/** The cache type that a key, or a pattern of keys, belongs to by its beginning. */
export const typeOfKey = (key: string): CacheType | null =>
  CACHE_TYPES.find((type) => key.startsWith(PREFIXES[type])) ?? null

/** The key under which a result about a symbol's pattern is cached. */
export const patternKey = (symbol: string, patternType: string): string =>
  `${PREFIXES.patterns}${symbol}:${patternType}`
