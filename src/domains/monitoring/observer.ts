import { AppError } from '../../errors.js'
import type { Clock } from '../../lib/clock.js'
import type { DedicatedConnection } from '../../platform/postgres/dedicated.js'
import { sql } from '../../platform/postgres/sql.js'
import { catalog } from './catalog.sql.js'
import { type LockTree, lockTrees } from './lock-trees.js'
import { lockSessions } from './locks.sql.js'
import { type Pulse, pulse } from './pulse.sql.js'
import { indexes } from './relations.sql.js'
import { StatementDeltas, type Use } from './statement-deltas.js'
import { statementCounters, statementTexts } from './statements.sql.js'
import type { Known, View, Window } from './view.js'

/** What is looked at, and how often. */
export interface ObserverDeps {
  /** Of its own: looking must not wait, and nobody must wait for it. */
  readonly connection: Pick<DedicatedConnection, 'many' | 'one'>
  readonly clock: Clock
  readonly sampleMs: number
  /** Hears why something could not be looked at. */
  readonly failed?: (error: unknown) => void
}

type Counters = Omit<Window, 'seconds' | 'wal_bytes'> & { readonly wal_position: number }

/** What looks less often the longer it takes: so many times its own duration lies between two of them. */
const REST = { catalog: 60, indexes: 120, statements: 60 } as const
const NOT_YET = { reason: 'It has not been looked at yet.' }
const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000
const NAMED = 30
const MAX_TEXTS = 2_000

/** Looks at PostgreSQL round by round, and keeps what it needs to say what has changed. */
export class Observer implements View {
  readonly #deps: ObserverDeps
  readonly #deltas = new StatementDeltas()
  readonly #texts = new Map<
    string,
    { query: string | null; is_own: boolean; role: string | null }
  >()
  readonly #due = new Map<string, number>()
  readonly #costs: { readonly at: number; readonly ms: number }[] = []
  #startedAt: number | null = null
  #version: number | null = null
  #epoch = ''
  #history: { readonly ms: number; readonly counters: Counters }[] = []
  pulse: Known<Pulse> = NOT_YET
  catalog: View['catalog'] = NOT_YET
  indexes: View['indexes'] = NOT_YET
  statements: View['statements'] = NOT_YET
  locks: Known<readonly LockTree[]> = NOT_YET

  constructor(deps: ObserverDeps) {
    this.#deps = deps
  }

  get texts(): View['texts'] {
    return this.#texts
  }

  /** Milliseconds of the database that looking took in the last minute; null before a minute is over. */
  get ownMsPerMinute(): number | null {
    const now = performance.now()
    if (this.#startedAt === null || now - this.#startedAt < MINUTE_MS) return null
    return this.#costs
      .filter(({ at }) => now - at <= MINUTE_MS)
      .reduce((sum, { ms }) => sum + ms, 0)
  }

  /** Looks at everything that is due; what fails is unknown, with its reason. */
  async round(): Promise<void> {
    this.#startedAt ??= performance.now()
    this.pulse = await this.#ask(() => this.#pulse())
    if ('reason' in this.pulse) {
      this.#version = null
      const { reason } = this.pulse
      this.catalog = this.indexes = this.statements = this.locks = { reason }
      this.#due.clear()
      return
    }
    this.#remember(this.pulse.value)
    this.locks = await this.#ask(() => this.lockTrees())
    await this.#whenDue('statements', async () => {
      this.statements = await this.#lookAtStatements()
    })
    await this.#whenDue('catalog', async () => {
      this.catalog = await this.#ask(() => this.#deps.connection.one(catalog()))
    })
    await this.#whenDue('indexes', async () => {
      this.indexes = await this.#ask(() => this.#deps.connection.one(indexes()))
    })
    while ((this.#costs[0]?.at ?? Number.POSITIVE_INFINITY) < performance.now() - MINUTE_MS) {
      this.#costs.shift()
    }
  }

  /** Who waits for whom right now. */
  async lockTrees(): Promise<LockTree[]> {
    return lockTrees(await this.#deps.connection.many(lockSessions()))
  }

  /** Takes a fresh snapshot of the statements, with the texts of those that stand out. */
  async lookAtStatements(): Promise<View['statements']> {
    if ('reason' in this.pulse) this.pulse = await this.#ask(() => this.#pulse())
    if ('reason' in this.pulse) return this.pulse
    this.statements = await this.#lookAtStatements()
    return this.statements
  }

  window(seconds: number): Window | null {
    const newest = this.#history.at(-1)
    if (!newest) return null
    const from = this.#history.find(
      ({ ms }) => newest.ms - ms <= seconds * 1_000 + this.#deps.sampleMs / 2,
    )
    if (!from || from === newest) return null
    const [a, b] = [from.counters, newest.counters]
    return {
      seconds: (newest.ms - from.ms) / 1_000,
      commits: b.commits - a.commits,
      rollbacks: b.rollbacks - a.rollbacks,
      blocks_hit: b.blocks_hit - a.blocks_hit,
      blocks_read: b.blocks_read - a.blocks_read,
      temp_files: b.temp_files - a.temp_files,
      temp_bytes: b.temp_bytes - a.temp_bytes,
      deadlocks: b.deadlocks - a.deadlocks,
      checkpoints_requested: b.checkpoints_requested - a.checkpoints_requested,
      wal_bytes: b.wal_position - a.wal_position,
    }
  }

  async #pulse(): Promise<Pulse> {
    const { connection } = this.#deps
    this.#version ??= (await connection.one(VERSION)).version
    return connection.one(pulse(this.#version))
  }

  /** After a reset, a restart or a failover counters begin anew: nothing before can be compared. */
  #remember(now: Pulse): void {
    const counters = countersOf(now)
    const last = this.#history.at(-1)?.counters
    const epoch = [now.started_at, now.stats_reset, now.in_recovery].join(' ')
    const hasFallen =
      last !== undefined &&
      Object.entries(counters).some(([name, value]) => value < (Reflect.get(last, name) ?? 0))
    if (epoch !== this.#epoch || hasFallen) this.#history = []
    this.#epoch = epoch
    const ms = performance.now()
    this.#history.push({ ms, counters })
    const first = this.#history.findIndex((one) => ms - one.ms <= HOUR_MS)
    if (first > 0) this.#history.splice(0, first)
  }

  async #lookAtStatements(): Promise<View['statements']> {
    const { pulse: known } = this
    if ('reason' in known) return known
    const { statements_schema: schema, statements_loaded: isLoaded } = known.value
    if (schema === null) {
      return {
        reason:
          'pg_stat_statements is not installed in this database: create extension pg_stat_statements.',
      }
    }
    if (!isLoaded) {
      return {
        reason:
          'pg_stat_statements is not loaded: add it to shared_preload_libraries and restart PostgreSQL.',
      }
    }
    return this.#ask(async () => {
      const snapshot = await this.#deps.connection.one(statementCounters(schema))
      this.#deltas.feed(snapshot, this.#deps.clock.now(), performance.now())
      await this.#name(schema, [
        this.#deltas.use(600),
        this.#deltas.use(86_400),
        this.#deltas.sinceReset(),
      ])
      return this.#deltas
    })
  }

  /** Fetches the texts of the statements that anybody may want to name. */
  async #name(schema: string, uses: readonly (Use | null)[]): Promise<void> {
    const wanted = new Map<string, string>()
    for (const use of uses) {
      if (!use) continue
      for (const by of ['mean_ms', 'total_ms', 'temp_blocks'] as const) {
        const top = [...use.statements].sort((a, b) => b[by] - a[by]).slice(0, NAMED)
        for (const { key, queryid } of top) if (!this.#texts.has(key)) wanted.set(key, queryid)
      }
    }
    if (wanted.size === 0) return
    if (this.#texts.size > MAX_TEXTS) this.#texts.clear()
    const ids = [...new Set(wanted.values())]
    for (const { key, query, is_own, role } of await this.#deps.connection.many(
      statementTexts(schema, ids),
    )) {
      this.#texts.set(key, { query, is_own, role })
    }
  }

  async #whenDue(what: keyof typeof REST, look: () => Promise<void>): Promise<void> {
    const started = performance.now()
    if (started < (this.#due.get(what) ?? 0)) return
    await look()
    const ended = performance.now()
    const rest = Math.max(this.#deps.sampleMs * 0.9, (ended - started) * REST[what])
    this.#due.set(what, ended + rest)
  }

  async #ask<T>(look: () => Promise<T>): Promise<Known<T>> {
    const started = performance.now()
    try {
      return { value: await look(), at: started }
    } catch (error) {
      this.#deps.failed?.(error)
      return { reason: reasonOf(error) }
    } finally {
      this.#costs.push({ at: started, ms: performance.now() - started })
    }
  }
}

const VERSION = sql<{
  version: number
}>`select current_setting('server_version_num')::int as version`

const countersOf = (now: Pulse): Counters => ({
  commits: now.commits,
  rollbacks: now.rollbacks,
  blocks_hit: now.blocks_hit,
  blocks_read: now.blocks_read,
  temp_files: now.temp_files,
  temp_bytes: now.temp_bytes,
  deadlocks: now.deadlocks,
  checkpoints_requested: now.checkpoints_requested,
  wal_position: now.wal_position ?? 0,
})

/** In words for clients; the driver's stay in the log. */
const reasonOf = (error: unknown): string =>
  error instanceof AppError && error.code !== 'internal_error'
    ? `PostgreSQL did not say: ${error.message}`
    : 'PostgreSQL did not answer what was asked.'
