import { AppError } from '../../errors.js'
import type { EventData } from '../../events.js'
import { CACHE_TYPES, type CacheType, EVERY_SYMBOL, markNames } from '../../lib/marks.js'
import type { CacheStore } from '../../platform/cache/cache-store.js'
import { PREFIXES } from './key.js'
import { isEverything } from './schemas.js'

/** What a client wants to be outdated. */
export interface InvalidationRequest {
  readonly pattern?: string | undefined
  readonly symbol?: string | undefined
  readonly cache_type?: CacheType | undefined
}

/** What is to be outdated and removed. */
export interface Target {
  readonly isEverything: boolean
  readonly event: Pick<EventData<'cache.invalidation'>, 'touched' | 'pattern'>
  /** Removes it; each removal reports how many keys it has deleted. */
  remove(store: CacheStore, signal: AbortSignal, deleted: (count: number) => void): Promise<void>
}

/**
 * Reads what a client wants.
 *
 * @throws AppError `invalid_input` unless exactly one thing is named
 */
export function targetOf({ pattern, symbol, cache_type }: InvalidationRequest): Target {
  const isOther = symbol !== undefined || cache_type !== undefined
  if (pattern === undefined ? !isOther : isOther) {
    throw new AppError(
      'invalid_input',
      'Give exactly one of pattern, symbol and cache_type, or symbol with cache_type.',
      { hint: 'Nothing was invalidated. Everything of AAPL: {"symbol": "AAPL"}.' },
    )
  }
  if (pattern !== undefined) return isEverything(pattern) ? everything() : ofPattern(pattern)
  const types = cache_type === undefined ? CACHE_TYPES : [cache_type]
  if (symbol !== undefined) return ofSymbol(types, symbol)
  return ofTypes(types)
}

const everything = (): Target => ({ ...ofTypes(CACHE_TYPES), isEverything: true })

const ofPattern = (pattern: string): Target => ({
  isEverything: false,
  event: { pattern },
  remove: async (store, signal, deleted) => {
    await store.deleteByPattern(pattern, signal, deleted)
  },
})

const touchedOf = (types: readonly CacheType[], symbol: string) =>
  Object.fromEntries(types.map((type) => [type, [symbol]]))

function ofSymbol(types: readonly CacheType[], symbol: string): Target {
  const touched = touchedOf(types, symbol)
  return {
    isEverything: false,
    event: { touched },
    remove: async (store, signal, deleted) => {
      for (const tag of markNames(touched)) await store.deleteByTag(tag, signal, deleted)
    },
  }
}

const ofTypes = (types: readonly CacheType[]): Target => ({
  isEverything: false,
  event: { touched: touchedOf(types, EVERY_SYMBOL) },
  remove: async (store, signal, deleted) => {
    for (const type of types) await store.deleteByPattern(`${PREFIXES[type]}*`, signal, deleted)
  },
})
