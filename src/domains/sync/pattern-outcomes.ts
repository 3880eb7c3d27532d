import { type BarInterval, expectedBars } from '../../lib/bar-interval.js'
import type { Clock } from '../../lib/clock.js'
import { ref } from '../../lib/refs.js'
import { FIRST_OPINION } from '../../lib/success-rate.js'
import { barMinutes, TIMEFRAMES, type Timeframe } from '../../lib/timeframes.js'
import type { Transaction } from '../../platform/postgres/queryable.js'
import type { Policy } from '../../policy.js'
import type { PatternService, TypeRate } from '../trading/patterns.service.js'
import * as outcomesSql from './pattern-outcomes.sql.js'
import {
  ENTRY_DAYS,
  type Verdict,
  verdictByPrice,
  verdictByTrade,
  verdictWithoutDirection,
} from './pattern-verdict.js'
import type { Run } from './run.js'
import { takeTurn } from './sql.js'

/** What the outcomes of patterns are told from. */
export interface PatternOutcomesDeps {
  /** Owns how often patterns came true. */
  readonly patterns: Pick<PatternService, 'countOutcomes' | 'typeRates'>
  readonly clock: Clock
  readonly learning: Policy['learning']
}

/** What a run did. */
export interface PatternSyncResult {
  /** Outcomes that are another than before. */
  readonly patterns_updated: number
  readonly success_rate_changes: Readonly<Record<string, RateChange>>
}

/** The rate of a pattern type before and after a run, and the outcomes it then rests on. */
interface RateChange {
  readonly from: number
  readonly to: number
  readonly n: number
}

/** An outcome with what it follows from, beside positions. */
interface Case extends outcomesSql.DueRow {
  readonly expected: readonly BarInterval[]
  /** In milliseconds: from then on no position, or no bar, is waited for. */
  readonly link_ends: number
  readonly is_over: boolean
}

const BATCH = 500
const MINUTE_MS = 60_000
const DAY_MS = 1_440 * MINUTE_MS
const UNKNOWN: TypeRate = { n: 0, rate: FIRST_OPINION }

/** Tells what became of patterns from what is stored: by the position opened on one, else by price. */
export class PatternOutcomes {
  readonly #deps: PatternOutcomesDeps

  constructor(deps: PatternOutcomesDeps) {
    this.#deps = deps
  }

  /**
   * Goes once over the outcomes that are due now, those to be told again first, one transaction for
   * each batch: a run that was cut is simply run again, and finds due what it had not come to.
   */
  async sync(filter: outcomesSql.PendingFilter, run: Run): Promise<PatternSyncResult> {
    const { patterns } = this.#deps
    const { due, before } = await run.inTransaction(async (tx) => {
      await tx.run(takeTurn('pattern_outcomes'))
      await tx.run(outcomesSql.noteReviews(evidenceReach(this.#deps.learning), tx.held === null))
      const reviews = await tx.one(outcomesSql.dueOutcomes('reviews', filter))
      const pending = await tx.one(outcomesSql.dueOutcomes('pending', filter))
      return { due: { reviews, pending }, before: await patterns.typeRates(tx) }
    })
    const total = due.reviews.outcomes + due.pending.outcomes
    let [done, patterns_updated] = [0, 0]
    for (const kind of ['reviews', 'pending'] as const) {
      const { last_id } = due[kind]
      let after_id = 0
      while (last_id !== null && after_id < last_id) {
        const range = { after_id, last_id }
        const batch = await run.inTransaction((tx) => this.#batch(tx, kind, filter, range))
        after_id = batch.through_id
        done += batch.looked_at
        patterns_updated += batch.updated
        run.progress(done, total, 'patterns looked at')
      }
    }
    const rates = await run.inTransaction((tx) => patterns.typeRates(tx))
    return { patterns_updated, success_rate_changes: changes(before, rates) }
  }

  async #batch(
    tx: Transaction,
    kind: outcomesSql.Due,
    filter: outcomesSql.PendingFilter,
    range: Pick<outcomesSql.BatchRange, 'after_id' | 'last_id'>,
  ) {
    const { patterns, learning } = this.#deps
    await tx.run(takeTurn('pattern_outcomes'))
    const bounds = { ...range, limit: BATCH, link_minutes: learning.pattern_link_minutes }
    const due = await tx.many(outcomesSql.lockDue(kind, filter, bounds))
    const verdicts = await this.#judge(tx, due)
    const updated = verdicts.length > 0 ? await tx.many(outcomesSql.saveVerdicts(verdicts)) : []
    if (kind === 'reviews') {
      await tx.run(outcomesSql.endReviews(due.map(({ pattern_id }) => pattern_id)))
    }
    if (updated.length > 0) {
      const changed = changedOf(updated, due)
      tx.touch(
        'patterns',
        changed.map(({ symbol }) => symbol),
      )
      tx.mention(changed.map(({ pattern_id, symbol }) => ref('pattern', pattern_id, symbol)))
      await patterns.countOutcomes(tx)
    }
    const next = due.length < BATCH ? null : (due.at(-1)?.pattern_id ?? null)
    return {
      through_id: next ?? range.last_id,
      looked_at: due.length,
      updated: updated.length,
    }
  }

  /** What the evidence says now; one that is pending and stays so is left alone. */
  async #judge(
    tx: Transaction,
    due: readonly outcomesSql.DueRow[],
  ): Promise<outcomesSql.VerdictRow[]> {
    const now = this.#deps.clock.now()
    const cases = due.filter(({ is_manual }) => !is_manual).map((row) => this.#case(row, now))
    const bars = await this.#barsFor(tx, cases, now)
    return cases.flatMap((one) => {
      const verdict = this.#verdict(one, bars.get(one.pattern_id), now.getTime())
      return verdict || one.status !== 'pending' ? [verdictRow(one.pattern_id, verdict)] : []
    })
  }

  #case(row: outcomesSql.DueRow, now: Date): Case {
    const { pattern_bars, pattern_link_minutes, bars_wait_days } = this.#deps.learning
    const expected = expectedBars(row.timeframe, row.detected_ms, pattern_bars)
    const link_ends = row.detected_ms + pattern_link_minutes * MINUTE_MS
    // Bars and positions may be stored some days late: a weekend, or a feed that was down.
    const due = row.direction === 'neutral' ? link_ends : (expected.at(-1)?.end ?? link_ends)
    const is_over = now.getTime() > due + bars_wait_days * DAY_MS
    return { ...row, expected, link_ends, is_over }
  }

  /** The bars of those whom price can tell. */
  async #barsFor(
    tx: Transaction,
    cases: readonly Case[],
    now: Date,
  ): Promise<ReadonlyMap<number, outcomesSql.BarsRow>> {
    const { pattern_bars: limit } = this.#deps.learning
    const wanted = cases
      .filter((one) => one.position === null && one.direction !== 'neutral')
      .filter((one) => now.getTime() > one.link_ends)
      .map(({ pattern_id, detected_ms, expected }) => ({
        pattern_id,
        // A day that opens after the detection began before it.
        from: isoOf(Math.min(detected_ms, expected[0]?.start ?? detected_ms)),
        until: isoOf(expected.at(-1)?.start ?? detected_ms),
      }))
    if (wanted.length === 0) return new Map()
    const bounds = { limit, entry_days: ENTRY_DAYS, now: now.toISOString() }
    const rows = await tx.many(outcomesSql.findBars(wanted, bounds))
    return new Map(rows.map((row) => [row.pattern_id, row]))
  }

  #verdict(one: Case, bars: outcomesSql.BarsRow | undefined, nowMs: number): Verdict | null {
    const { direction, position } = one
    if (position) return verdictByTrade(position)
    if (direction === 'neutral')
      return verdictWithoutDirection(nowMs > one.link_ends && one.is_over)
    return bars ? verdictByPrice({ ...one, ...bars, direction }) : null
  }
}

/** How far from a detection the bars of its window may be, by timeframe; never less than they are. */
export const evidenceReach = (learning: Policy['learning']): outcomesSql.EvidenceReach => ({
  days: TIMEFRAMES.map((timeframe) => ({
    timeframe,
    days: Math.ceil((learning.pattern_bars * sessionsOf(timeframe) * 7) / 5) + CLOSURE_DAYS,
  })),
  link_minutes: learning.pattern_link_minutes,
  entry_days: ENTRY_DAYS,
})

const CLOSURE_DAYS = 31
const HALF_SESSION_MINUTES = 210

const sessionsOf = (timeframe: Timeframe): number =>
  timeframe === '1w' ? 5 : Math.min(1, barMinutes(timeframe) / HALF_SESSION_MINUTES)

const isoOf = (ms: number): string => new Date(ms).toISOString()

/** Of what was due, what is told otherwise now. */
function changedOf(
  updated: readonly Pick<outcomesSql.VerdictRow, 'pattern_id'>[],
  due: readonly outcomesSql.DueRow[],
): outcomesSql.DueRow[] {
  const ids = new Set(updated.map(({ pattern_id }) => pattern_id))
  return due.filter(({ pattern_id }) => ids.has(pattern_id))
}

const PENDING = {
  status: 'pending',
  success: null,
  method: null,
  move_bps: null,
  minutes: null,
  position_id: null,
  reason: null,
} as const

function verdictRow(pattern_id: number, verdict: Verdict | null): outcomesSql.VerdictRow {
  const { evidence, ...told } = verdict ?? { ...PENDING, evidence: null }
  return {
    ...PENDING,
    ...told,
    pattern_id,
    bars_from: evidence && isoOf(evidence.from),
    bars_until: evidence && isoOf(evidence.until),
  }
}

function changes(
  before: ReadonlyMap<string, TypeRate>,
  after: ReadonlyMap<string, TypeRate>,
): Record<string, RateChange> {
  const changed = [...after].flatMap(([type, { n, rate: to }]): [string, RateChange][] => {
    const { n: known, rate: from } = before.get(type) ?? UNKNOWN
    return n === known && to === from ? [] : [[type, { from, to, n }]]
  })
  return Object.fromEntries(changed)
}
