import { z } from 'zod'

/** The kinds of cached values. */
export const CACHE_TYPES = ['patterns', 'indicators', 'sentiment', 'news'] as const

/** One of the kinds of cached values. */
export type CacheType = (typeof CACHE_TYPES)[number]

/** Stands for values that belong to no single symbol: stories without a company, statistics. */
export const NO_SYMBOL = '-'

/** Stands for all values of a kind, those of no symbol included. */
export const EVERY_SYMBOL = '*'

/** More would make an event as large as the batch it reports. */
const MAX_SYMBOLS = 100

/** Cached values that are outdated: symbols by kind, `*` for all of a kind, `-` for those of no symbol. */
export const marks = () => z.partialRecord(z.enum(CACHE_TYPES), z.array(z.string()))

/** Cached values that are outdated, as an event names them. */
export type Marks = z.output<ReturnType<typeof marks>>

/** Each kind of a mark with one of its symbols, as it is looked up and tagged. */
export const markNames = (given: Marks): string[] =>
  CACHE_TYPES.flatMap((type) => (given[type] ?? []).map((symbol) => markName(type, symbol)))

/** One kind and symbol in one text. */
export const markName = (type: CacheType, symbol: string): string => `${type}:${symbol}`

/** Collects marks; a kind with more than a hundred symbols is outdated as a whole. */
export class MarkSet {
  readonly #symbols = new Map<CacheType, Set<string>>()

  /** Adds symbols of a kind; null stands for no symbol. */
  add(type: CacheType, symbols: Iterable<string | null>): void {
    const known = this.#symbols.get(type) ?? new Set()
    for (const symbol of symbols) known.add(symbol ?? NO_SYMBOL)
    if (known.size > 0) this.#symbols.set(type, known)
  }

  /** What was collected; undefined while that is nothing. */
  get marks(): Marks | undefined {
    if (this.#symbols.size === 0) return undefined
    return Object.fromEntries([...this.#symbols].map(([type, symbols]) => [type, listed(symbols)]))
  }
}

const listed = (symbols: ReadonlySet<string>): string[] =>
  symbols.size > MAX_SYMBOLS || symbols.has(EVERY_SYMBOL) ? [EVERY_SYMBOL] : [...symbols].sort()
