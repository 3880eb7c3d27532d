import type { Clock } from '../../lib/clock.js'
import { type PageKey, pageOf } from '../../lib/page.js'
import { REFS_PER_EVENT, RefSet } from '../../lib/refs.js'
import type { Database } from '../../platform/postgres/database.js'
import { repeatWhenUndone } from '../../platform/postgres/policies.js'
import type { Queryable, Transaction } from '../../platform/postgres/queryable.js'
import type { Policy } from '../../policy.js'
import type { PatternService } from '../trading/patterns.service.js'
import { CatalystOutcomes, type OutcomesQuery } from './catalyst-outcomes.js'
import { evidenceReach, PatternOutcomes } from './pattern-outcomes.js'
import { countReviews, type PendingFilter } from './pattern-outcomes.sql.js'
import { paramsVersion, reliabilityOf } from './reliability.js'
import type { Run } from './run.js'
import { idsOf, type MetricsQuery, ratioOf, SourceMetrics } from './source-metrics.js'
import { type SourceRow, selectSources } from './source-metrics.sql.js'
import { noteEnd, noteStart, type SyncName, selectStatus } from './sql.js'

/** What syncs are made from. */
export interface SyncDeps {
  readonly database: Database
  readonly clock: Clock
  readonly learning: Policy['learning']
  /** Owns how often patterns came true. */
  readonly patterns: PatternService
}

/** Who asks for a sync; with a transaction, all of it happens in that. */
interface SyncCall {
  readonly tx?: Transaction
  readonly signal: AbortSignal
  progress(done: number, total: number, message: string): void
}

/** Filters and page of the list of sources. */
export interface SourcesQuery {
  readonly source?: string | undefined
  readonly tier?: number | undefined
  readonly stored_since?: string | undefined
  readonly limit: number
  readonly cursor?: PageKey | undefined
}

/** Turns what has happened into trust in sources and patterns, batch by batch. */
export class SyncService {
  readonly #deps: SyncDeps
  readonly #outcomes: CatalystOutcomes
  readonly #metrics: SourceMetrics
  readonly #patterns: PatternOutcomes

  constructor(deps: SyncDeps) {
    this.#deps = deps
    this.#outcomes = new CatalystOutcomes(deps)
    this.#metrics = new SourceMetrics(deps.learning)
    this.#patterns = new PatternOutcomes(deps)
  }

  /** Learns from the positions that have closed since the last run. */
  catalystOutcomes(query: OutcomesQuery, call: SyncCall) {
    const changed = ({ trades_processed }: { trades_processed: number }) => trades_processed
    return this.#run('catalyst_outcomes', call, (run) => this.#outcomes.sync(query, run), changed)
  }

  /** Computes the reliability of sources from what was learned. */
  sourceMetrics(query: MetricsQuery, call: SyncCall) {
    const changed = ({ sources_updated }: { sources_updated: number }) => sources_updated
    return this.#run('source_metrics', call, (run) => this.#metrics.sync(query, run), changed)
  }

  /** Tells what became of the patterns that are pending. */
  patternOutcomes(query: PendingFilter, call: SyncCall) {
    const changed = ({ patterns_updated }: { patterns_updated: number }) => patterns_updated
    return this.#run('pattern_outcomes', call, (run) => this.#patterns.sync(query, run), changed)
  }

  /** What each sync has still to do, and when it last came to its end. */
  async status(tx: Queryable | null) {
    const { database, learning } = this.#deps
    const reviews = countReviews(evidenceReach(learning))
    const row = await (tx ?? database).one(
      selectStatus(paramsVersion(learning), learning.pattern_link_minutes, reviews),
    )
    return {
      catalyst_outcomes: {
        pending_updates: row.pending_updates,
        last_sync: row.outcomes_at,
        watermark: row.watermark_at,
      },
      source_metrics: {
        pending_calculations: row.pending_calculations,
        last_update: row.metrics_at,
      },
      pattern_outcomes: {
        pending_outcomes: row.pending_outcomes,
        due_outcomes: row.due_outcomes,
        last_sync: row.patterns_at,
      },
      has_pending: row.pending_updates + row.pending_calculations + row.due_outcomes > 0,
    }
  }

  /** One page of sources in the order of their names, with what is thought of each. */
  async listSources(query: SourcesQuery, tx: Queryable | null) {
    const { source, tier = null, stored_since = null, limit, cursor } = query
    const db = tx ?? this.#deps.database
    const source_ids = source === undefined ? null : await idsOf(db, [source])
    const after = cursor ? ([cursor[0] ?? '', cursor[1] ?? ''] as const) : null
    const rows = await db.many(selectSources({ source_ids, tier, stored_since, after, limit }))
    const { items, next_cursor } = pageOf(rows, limit, ({ sort_name, source_id }) => [
      sort_name,
      String(source_id),
    ])
    return { sources: await Promise.all(items.map((row) => this.#describe(row))), next_cursor }
  }

  async #describe({ w_win, w_loss, ...row }: SourceRow) {
    const known = await reliabilityOf(w_win, w_loss, this.#deps.learning)
    return {
      source_name: row.source_name,
      tier: row.tier,
      reliability: ratioOf(known.reliability),
      ci_low: ratioOf(known.interval.low),
      ci_high: ratioOf(known.interval.high),
      n_eff: known.n_eff,
      accuracy_rate: known.accuracy_rate === null ? null : ratioOf(known.accuracy_rate),
      is_rated: known.is_rated,
      totals: {
        articles: row.articles,
        duplicates: row.duplicates,
        confirmed: row.confirmed,
        w_win,
        w_loss,
      },
      avg_lead_minutes: row.avg_lead_minutes,
      as_of: row.as_of,
    }
  }

  async #run<T>(
    sync: SyncName,
    call: SyncCall,
    work: (run: Run) => Promise<T>,
    changed: (result: T) => number,
  ): Promise<T> {
    const { tx, signal, progress } = call
    const named = new RefSet()
    const inTransaction: Run['inTransaction'] = tx
      ? (batch) => batch(tx)
      : (batch) => this.#commit(sync, batch, signal, named)
    await inTransaction((own) => own.run(noteStart(sync)))
    const result = await work({ inTransaction, progress })
    await inTransaction(async (own) => {
      await own.run(noteEnd(sync, result))
      named.add(own.refs)
      const refs = named.all.slice(0, REFS_PER_EVENT)
      await own.emit('sync.completed', { sync, changed: changed(result), refs })
    })
    return result
  }

  /** A batch that PostgreSQL has undone is run again: it takes up only what is still to do. */
  async #commit<T>(
    sync: SyncName,
    batch: (tx: Transaction) => Promise<T>,
    signal: AbortSignal,
    named: RefSet,
  ): Promise<T> {
    const { database } = this.#deps
    const work = async (tx: Transaction) => {
      const answer = await batch(tx)
      const { touched, refs } = tx
      const data = { tools: [`sync_${sync}`], session_id: null, touched }
      if (touched || refs.length > 0) await tx.emit('db.transaction', data)
      return { answer, refs }
    }
    // A signal of the batch's own: policies leave their listeners on the one they are given.
    const { answer, refs } = await repeatWhenUndone(AbortSignal.any([signal]), () =>
      database.transaction(work, { signal }),
    )
    named.add(refs)
    return answer
  }
}
