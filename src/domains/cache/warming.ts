import { setTimeout as delay } from 'node:timers/promises'
import { AppError, abortError } from '../../errors.js'
import { CACHE_TYPES, type CacheType } from '../../lib/marks.js'
import type { Policy } from '../../policy.js'
import type { Buildable, ReadThrough } from './read-through.service.js'

/** What can be built about a symbol: nothing where nothing is stored. */
export type WarmSource = (symbol: string) => Promise<readonly Buildable<unknown>[]>

interface WarmingDeps {
  readonly cached: ReadThrough
  readonly policy: Policy['cache']
}

/** What is to be warmed. */
export interface WarmRequest {
  readonly symbols: readonly string[]
  readonly cache_types: readonly CacheType[]
}

interface WarmCall {
  readonly signal: AbortSignal
  progress(done: number, total: number, message: string): void
}

interface Skipped {
  readonly symbol: string
  readonly cache_type: CacheType
  readonly reason: string
}

/** What warming came to. */
export interface Warmed {
  readonly warmed_entries: number
  readonly duration_ms: number
  readonly by_cache_type: Readonly<Record<string, number>>
  readonly skipped: Skipped[]
}

const NOTHING_STORED = 'nothing is stored about it'

/** Builds entries from the database before anybody asks for them. */
export class Warming {
  readonly #deps: WarmingDeps
  readonly #sources = new Map<CacheType, WarmSource>()

  constructor(deps: WarmingDeps) {
    this.#deps = deps
  }

  /** Says what entries of one kind are built from. */
  from(type: CacheType, source: WarmSource): void {
    this.#sources.set(type, source)
  }

  /** Builds all that is asked for, no faster than the policy allows. */
  async warm(
    { symbols, cache_types }: WarmRequest,
    { signal, progress }: WarmCall,
  ): Promise<Warmed> {
    const started = performance.now()
    const wanted = [...new Set(symbols)].flatMap((symbol) =>
      [...new Set(cache_types)].map((cache_type) => ({ symbol, cache_type })),
    )
    const counts = new Map<CacheType, number>()
    const skipped: Skipped[] = []
    for (const [done, one] of wanted.entries()) {
      progress(done, wanted.length, 'symbols and kinds warmed')
      const { built, reasons } = await this.#warmOne(one.symbol, one.cache_type, signal)
      counts.set(one.cache_type, (counts.get(one.cache_type) ?? 0) + built)
      skipped.push(...[...reasons].map((reason) => ({ ...one, reason })))
    }
    progress(wanted.length, wanted.length, 'symbols and kinds warmed')
    return {
      warmed_entries: [...counts.values()].reduce((sum, count) => sum + count, 0),
      duration_ms: Math.round(performance.now() - started),
      by_cache_type: Object.fromEntries(
        CACHE_TYPES.flatMap((type) => (counts.has(type) ? [[type, counts.get(type) ?? 0]] : [])),
      ),
      skipped,
    }
  }

  async #warmOne(symbol: string, type: CacheType, signal: AbortSignal) {
    const { cached, policy } = this.#deps
    const reasons = new Set<string>()
    let built = 0
    const wanted = (await this.#sources.get(type)?.(symbol)) ?? []
    if (wanted.length === 0) reasons.add(NOTHING_STORED)
    for (const one of wanted) {
      if (signal.aborted) throw abortError(signal)
      const reason = await reasonNotTo(() => cached.refresh(one))
      if (reason === null) built++
      else reasons.add(reason)
      await delay(1_000 / policy.warm_per_second, undefined, { signal }).catch(() => {})
    }
    return { built, reasons }
  }
}

/** Why an entry was not stored; null when it was. Only failures with a text for clients are reasons. */
async function reasonNotTo(refresh: () => Promise<string | null>): Promise<string | null> {
  try {
    return await refresh()
  } catch (error) {
    if (error instanceof AppError) return error.message
    throw error
  }
}
