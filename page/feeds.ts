import type { Resources } from '../src/client/served.js'
import { type Refusal, Refused, SignedOut, type Source } from './source.js'

/** Everything that is read, from where, and how often it is read without news of it. */
const FEEDS = {
  status: { path: 'db/status', everyMs: 5_000 },
  findings: { path: 'db/findings', everyMs: 10_000 },
  locks: { path: 'db/locks', everyMs: 10_000 },
  metrics: { path: 'db/metrics?timeframe=1h', everyMs: 30_000 },
  backups: { path: 'db/backups/latest', everyMs: 15_000 },
  history: { path: 'db/backups/history?limit=50', everyMs: 60_000 },
  recommendations: { path: 'assistant/recommendations?status=open&limit=100', everyMs: 60_000 },
  events: { path: 'events?limit=60', everyMs: 60_000 },
  changes: { path: `events?limit=200&types=${changeTypes()}`, everyMs: 60_000 },
  connections: { path: 'db/connections', everyMs: 10_000 },
  slow: { path: 'db/performance/slow-queries?threshold_ms=100&limit=12', everyMs: 60_000 },
  tables: { path: 'db/performance/tables?limit=15', everyMs: 120_000 },
  migrations: { path: 'db/migrations/status', everyMs: 120_000 },
  applied: { path: 'db/migrations/history?limit=12', everyMs: 120_000 },
  sync: { path: 'db/sync/status', everyMs: 30_000 },
  clock: { path: 'market/clock', everyMs: 60_000 },
} as const

/** The name of one of them. */
export type FeedName = keyof typeof FEEDS

/** What each answers. */
export interface Answers {
  status: Resources['db/status']
  findings: Resources['db/findings']
  locks: Resources['db/locks']
  metrics: Resources['db/metrics']
  backups: Resources['db/backups/latest']
  history: Resources['db/backups/history']
  recommendations: Resources['assistant/recommendations']
  events: Resources['events']
  changes: Resources['events']
  connections: Resources['db/connections']
  slow: Resources['db/performance/slow-queries']
  tables: Resources['db/performance/tables']
  migrations: Resources['db/migrations/status']
  applied: Resources['db/migrations/history']
  sync: Resources['db/sync/status']
  clock: Resources['market/clock']
}

/** The last answer, with when it came; and why there is no newer one. */
export interface Feed<T> {
  readonly data: T | null
  readonly at: number | null
  readonly error: Refusal | null
}

/** How the server is reached. */
export interface Reach {
  readonly server: 'connecting' | 'there' | 'away' | 'signed out'
  /** Whether news come by themselves; otherwise they are asked for. */
  readonly isLive: boolean
  /** When it was last heard of. */
  readonly heardAt: number | null
}

const NAMES = Object.keys(FEEDS) as FeedName[]
/** News of one resource that come faster are read together. */
const GAP_MS = 1_000
const RETRY_MS = 3_000
const EMPTY: Feed<never> = { data: null, at: null, error: null }

/** Keeps everything that is shown as new as the server's events make it. */
export class Feeds {
  reach: Reach = { server: 'connecting', isLive: false, heardAt: null }
  readonly source: Source
  readonly #feeds = new Map<FeedName, Feed<unknown>>()
  readonly #paths = new Map<FeedName, string>(NAMES.map((name) => [name, FEEDS[name].path]))
  readonly #timers = new Map<FeedName, number>()
  readonly #readAt = new Map<FeedName, number>()
  readonly #watchers = new Set<() => void>()
  readonly #end = new AbortController()

  constructor(source: Source) {
    this.source = source
  }

  start(): void {
    for (const name of NAMES) void this.#read(name)
    void this.#follow()
    const seen = () => document.hidden || this.refresh()
    document.addEventListener('visibilitychange', seen, { signal: this.#end.signal })
  }

  stop(): void {
    this.#end.abort()
    for (const timer of this.#timers.values()) clearTimeout(timer)
  }

  get<N extends FeedName>(name: N): Feed<Answers[N]> {
    return (this.#feeds.get(name) ?? EMPTY) as Feed<Answers[N]>
  }

  /** Calls back after every change, until the answer is called. */
  watch(changed: () => void): () => void {
    this.#watchers.add(changed)
    return () => this.#watchers.delete(changed)
  }

  /** Reads some again now; all without a name. */
  refresh(...names: FeedName[]): void {
    for (const name of names.length > 0 ? names : NAMES) this.#schedule(name, 0)
  }

  /** Reads one from another place from now on. */
  aim(name: FeedName, path: string): void {
    this.#paths.set(name, path)
    this.refresh(name)
  }

  #schedule(name: FeedName, inMs: number): void {
    clearTimeout(this.#timers.get(name))
    this.#timers.set(name, setTimeout(() => void this.#read(name), inMs) as unknown as number)
  }

  async #read(name: FeedName): Promise<void> {
    if (this.#end.signal.aborted) return
    this.#schedule(name, FEEDS[name].everyMs)
    // While it is away one is enough to notice that it is back; nobody looks at a hidden page.
    if (this.reach.server === 'away' && name !== 'status') return
    if (document.hidden && this.#readAt.has(name)) return
    this.#readAt.set(name, Date.now())
    const path = this.#paths.get(name) ?? ''
    try {
      const data = await this.source.read(path)
      if (path !== this.#paths.get(name)) return
      this.#feeds.set(name, { data, at: Date.now(), error: null })
      this.#heard()
    } catch (error) {
      this.#failed(name, error)
    }
    this.#tell()
  }

  #heard(): void {
    const wasAway = this.reach.server === 'away'
    this.reach = { ...this.reach, server: 'there', heardAt: Date.now() }
    if (wasAway) this.refresh()
  }

  #failed(name: FeedName, error: unknown): void {
    if (error instanceof Refused) {
      this.#feeds.set(name, { ...this.get(name), error: error.refusal })
      this.#heard()
      return
    }
    const server = error instanceof SignedOut ? 'signed out' : 'away'
    this.reach = { ...this.reach, server, isLive: false }
    if (name === 'status') this.#schedule(name, RETRY_MS)
  }

  /**
   * Listens while somebody looks, and listens again when the stream has ended: browsers keep six connections to a
   * server, and the streams of six hidden tabs would take them all.
   */
  async #follow(): Promise<void> {
    const { signal } = this.#end
    const paths = [...new Set(NAMES.map((name) => pathOf(FEEDS[name].path)))]
    const began = () => {
      this.reach = { ...this.reach, isLive: true }
      // What happened before the stream began.
      this.refresh('events', 'changes', 'recommendations')
      this.#tell()
    }
    const told = { began, changed: (path: string) => this.#changed(path) }
    while (!signal.aborted) {
      await until({ hidden: false }, signal)
      const turn = new AbortController()
      const over = AbortSignal.any([signal, turn.signal])
      void until({ hidden: true }, over).then(() => turn.abort())
      await this.source.listen(paths, told, over).catch(() => {})
      turn.abort()
      if (signal.aborted) return
      this.reach = { ...this.reach, isLive: false }
      this.#tell()
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    }
  }

  #changed(path: string): void {
    for (const name of NAMES) {
      if (pathOf(FEEDS[name].path) !== path) continue
      const rested = Date.now() - (this.#readAt.get(name) ?? 0)
      this.#schedule(name, Math.max(0, GAP_MS - rested))
    }
  }

  #tell(): void {
    for (const changed of this.#watchers) changed()
  }
}

/** Whether a failure of a feed says that the database cannot be reached. */
export const isAway = (error: Refusal | null): boolean =>
  error?.code === 'unavailable' || error?.code === 'timeout'

/** Resolves once the page is hidden, or is seen, or the signal says that it does not matter any more. */
const until = ({ hidden }: { hidden: boolean }, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const look = () => {
      if (document.hidden !== hidden && !signal.aborted) return
      document.removeEventListener('visibilitychange', look)
      resolve()
    }
    document.addEventListener('visibilitychange', look)
    signal.addEventListener('abort', look)
    look()
  })

const pathOf = (path: string): string => path.split('?')[0] ?? path

/** What somebody who comes back after an hour wants to hear of; commits are too many. */
function changeTypes(): string {
  return [
    'migration.applied',
    'db.schema.changed',
    'db.performance.degraded',
    'replication.lag',
    'db.error',
    'db.session.expired',
    'cache.memory.high',
    'backup.completed',
    'backup.failed',
    'backup.verified',
    'sync.completed',
    'assistant.report',
    'assistant.action',
  ].join(',')
}
