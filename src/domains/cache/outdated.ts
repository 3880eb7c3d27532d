import type { PublishedEvent } from '../../events.js'
import { type CacheType, EVERY_SYMBOL, markName, markNames, marks } from '../../lib/marks.js'
import { globMatcher } from '../../platform/cache/glob.js'
import type { LogSight, Outdating } from '../../platform/postgres/event-log.sql.js'
import type { EntryHeader } from './entry.js'

type Published = Outdating & { readonly seq: number }

/** What is asked about an entry. */
export type Dated = Pick<EntryHeader, 'log_id' | 'seq' | 'type' | 'tags'> & { readonly key: string }

interface Pattern {
  readonly seq: number
  matches(key: string): boolean
}

/** What one sight of the log told beyond what is remembered. */
export interface Sight {
  readonly log_id: string
  readonly head: number
  /** Committed and not published yet: newer than every entry. */
  readonly isPending: (entry: Pick<Dated, 'type' | 'tags' | 'key'>) => boolean
}

/** As many as a sight of the log may bring; what has more is not looked into. */
export const SIGHT_LIMIT = 1_000
/** Some ten megabytes; beyond it everything built so far is distrusted. */
const MAX_MARKS = 50_000
const MAX_PATTERNS = 200

/**
 * What was outdated, from the event log, as far back as this server has looked. Whatever was built
 * before that, or in another log, is taken for outdated.
 */
export class Outdated {
  readonly #marks = new Map<string, number>()
  #patterns: Pattern[] = []
  #logId: string | null = null
  #position = 0
  /** Everything after it is known. */
  #floor = 0

  /** Up to where the log is known. */
  get position(): number {
    return this.#position
  }

  /**
   * Takes in events as the log delivers them. Where one may be missing before the first of them, the
   * position stays, and the next sight brings what is missing.
   */
  follow(events: readonly PublishedEvent[]): void {
    const [first, last] = [events[0], events.at(-1)]
    if (this.#logId === null || !first || !last) return
    for (const event of events) this.#note(outdatingOf(event))
    if (first.seq <= this.#position + 1) this.#position = Math.max(this.#position, last.seq)
    this.#bound()
  }

  /** Takes in a sight of the log. What lies before it, where that is not known, is distrusted. */
  learn({ log_id, head, looked_from, published, pending }: LogSight): Sight {
    const isCut = published.length > SIGHT_LIMIT
    const knownFrom = isCut ? (published[0]?.seq ?? head) : looked_from
    const isOther = log_id !== this.#logId || head < looked_from
    if (isOther || knownFrom > this.#position) this.#restart(log_id, knownFrom)
    for (const event of published) this.#note(event)
    this.#position = Math.max(this.#position, head)
    this.#bound()
    return { log_id, head, isPending: pendingTest(pending) }
  }

  /** True when nothing that this entry depends on was outdated after it was built. */
  isCurrent(entry: Dated, sight: Sight): boolean {
    const { log_id, seq, type, tags, key } = entry
    if (log_id !== sight.log_id || log_id !== this.#logId || seq < this.#floor) return false
    const isNewer = (name: string): boolean => (this.#marks.get(name) ?? 0) > seq
    if (isNewer(everyOf(type)) || tags.some(isNewer)) return false
    if (this.#patterns.some((pattern) => pattern.seq > seq && pattern.matches(key))) return false
    return !sight.isPending(entry)
  }

  #note({ seq, touched, pattern }: Published): void {
    for (const name of markNames(touched ?? {})) {
      this.#marks.set(name, Math.max(seq, this.#marks.get(name) ?? 0))
    }
    if (pattern !== null) this.#patterns.push({ seq, matches: globMatcher(pattern) })
  }

  #bound(): void {
    if (this.#marks.size <= MAX_MARKS && this.#patterns.length <= MAX_PATTERNS) return
    this.#restart(this.#logId, this.#position)
  }

  #restart(logId: string | null, floor: number): void {
    this.#marks.clear()
    this.#patterns = []
    this.#logId = logId
    this.#position = floor
    this.#floor = floor
  }
}

function outdatingOf({ seq, data }: PublishedEvent): Published {
  const touched = marks().safeParse(data.touched)
  const pattern = typeof data.pattern === 'string' ? data.pattern : null
  return { seq, touched: touched.data ?? null, pattern }
}

const everyOf = (type: CacheType): string => markName(type, EVERY_SYMBOL)

function pendingTest(pending: readonly Outdating[]): Sight['isPending'] {
  // So many that nobody has counted them: any entry may be meant.
  if (pending.length > SIGHT_LIMIT) return () => true
  const names = new Set(pending.flatMap(({ touched }) => markNames(touched ?? {})))
  const patterns = pending.flatMap(({ pattern }) => (pattern === null ? [] : globMatcher(pattern)))
  return ({ type, tags, key }) =>
    names.has(everyOf(type)) ||
    tags.some((tag) => names.has(tag)) ||
    patterns.some((matches) => matches(key))
}
