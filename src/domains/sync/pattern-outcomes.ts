import type { Clock } from '../../lib/clock.js'
import { ref } from '../../lib/refs.js'
import { FIRST_OPINION } from '../../lib/success-rate.js'
import { barMinutes } from '../../lib/timeframes.js'
import type { Transaction } from '../../platform/postgres/queryable.js'
import type { Policy } from '../../policy.js'
import type { PatternService, TypeRate } from '../trading/patterns.service.js'
import * as outcomesSql from './pattern-outcomes.sql.js'
import {
  barsEnd,
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
  /** Outcomes that are no longer pending. */
  readonly patterns_updated: number
  readonly success_rate_changes: Readonly<Record<string, RateChange>>
}

/** The rate of a pattern type before and after a run, and the outcomes it then rests on. */
interface RateChange {
  readonly from: number
  readonly to: number
  readonly n: number
}

const BATCH = 500
const MINUTE_MS = 60_000
const DAY_MS = 1_440 * MINUTE_MS
const UNKNOWN: TypeRate = { n: 0, rate: FIRST_OPINION }

/** Tells what became of pending patterns: by the position opened on them, else by price. */
export class PatternOutcomes {
  readonly #deps: PatternOutcomesDeps

  constructor(deps: PatternOutcomesDeps) {
    this.#deps = deps
  }

  /**
   * Goes once over the outcomes that are pending now, one transaction for each batch: a run that was
   * cut is simply run again, and finds pending what it had not come to.
   */
  async sync(
    filter: outcomesSql.PendingFilter,
    { inTransaction, progress }: Run,
  ): Promise<PatternSyncResult> {
    const { patterns } = this.#deps
    const { pending, last_id, before } = await inTransaction(async (tx) => ({
      ...(await tx.one(outcomesSql.pendingPatterns(filter))),
      before: await patterns.typeRates(tx),
    }))
    let [after_id, done, patterns_updated] = [0, 0, 0]
    while (last_id !== null && after_id < last_id) {
      const range = { after_id, last_id }
      const batch = await inTransaction((tx) => this.#batch(tx, filter, range))
      after_id = batch.through_id
      done += batch.looked_at
      patterns_updated += batch.updated
      progress(done, pending, 'patterns looked at')
    }
    const rates = await inTransaction((tx) => patterns.typeRates(tx))
    return { patterns_updated, success_rate_changes: changes(before, rates) }
  }

  async #batch(
    tx: Transaction,
    filter: outcomesSql.PendingFilter,
    range: Pick<outcomesSql.BatchRange, 'after_id' | 'last_id'>,
  ) {
    const { patterns, learning } = this.#deps
    await tx.run(takeTurn('pattern_outcomes'))
    const bounds = { ...range, limit: BATCH, link_minutes: learning.pattern_link_minutes }
    const pending = await tx.many(outcomesSql.lockPending(filter, bounds))
    const verdicts = await this.#judge(tx, pending)
    if (verdicts.length > 0) {
      const decided = decidedOf(verdicts, pending)
      tx.touch(
        'patterns',
        decided.map(({ symbol }) => symbol),
      )
      tx.mention(decided.map(({ pattern_id, symbol }) => ref('pattern', pattern_id, symbol)))
      await tx.run(outcomesSql.saveVerdicts(verdicts))
      await patterns.countOutcomes(tx)
    }
    const next = pending.length < BATCH ? null : (pending.at(-1)?.pattern_id ?? null)
    return {
      through_id: next ?? range.last_id,
      looked_at: pending.length,
      updated: verdicts.length,
    }
  }

  async #judge(
    tx: Transaction,
    pending: readonly outcomesSql.PendingRow[],
  ): Promise<outcomesSql.VerdictRow[]> {
    const now = this.#deps.clock.now()
    const bars = await this.#barsFor(tx, pending, now)
    return pending.flatMap((row) => {
      const verdict = this.#verdict(row, bars.get(row.pattern_id), now.getTime())
      return verdict ? [verdictRow(row.pattern_id, verdict)] : []
    })
  }

  /** The bars of those whom price can tell. */
  async #barsFor(
    tx: Transaction,
    pending: readonly outcomesSql.PendingRow[],
    now: Date,
  ): Promise<ReadonlyMap<number, outcomesSql.BarsRow>> {
    const { pattern_bars } = this.#deps.learning
    const wanted = pending
      .filter((row) => row.position === null && row.direction !== 'neutral')
      .filter((row) => now.getTime() > this.#linkEnds(row))
      .map((row) => ({
        pattern_id: row.pattern_id,
        bar_minutes: barMinutes(row.timeframe),
        until: new Date(this.#awaitedUntil(row)).toISOString(),
      }))
    if (wanted.length === 0) return new Map()
    const rows = await tx.many(outcomesSql.findBars(wanted, pattern_bars, now.toISOString()))
    return new Map(rows.map((row) => [row.pattern_id, row]))
  }

  #verdict(
    row: outcomesSql.PendingRow,
    bars: outcomesSql.BarsRow | undefined,
    nowMs: number,
  ): Verdict | null {
    const { direction, position } = row
    if (position) return verdictByTrade(position)
    if (direction === 'neutral')
      return verdictWithoutDirection(nowMs > this.#linkEnds(row) + this.#waitMs)
    if (!bars) return null
    const window_bars = this.#deps.learning.pattern_bars
    const is_over = nowMs > this.#awaitedUntil(row)
    return verdictByPrice({ ...row, ...bars, direction, window_bars, is_over })
  }

  #linkEnds({ detected_ms }: outcomesSql.PendingRow): number {
    return detected_ms + this.#deps.learning.pattern_link_minutes * MINUTE_MS
  }

  #awaitedUntil({ timeframe, detected_ms }: outcomesSql.PendingRow): number {
    return barsEnd(timeframe, detected_ms, this.#deps.learning.pattern_bars) + this.#waitMs
  }

  /** Bars and positions may be stored some days late: a weekend, or a feed that was down. */
  get #waitMs(): number {
    return this.#deps.learning.bars_wait_days * DAY_MS
  }
}

/** Of what was pending, what is decided now. */
function decidedOf(
  verdicts: readonly outcomesSql.VerdictRow[],
  pending: readonly outcomesSql.PendingRow[],
): outcomesSql.PendingRow[] {
  const decided = new Set(verdicts.map(({ pattern_id }) => pattern_id))
  return pending.filter(({ pattern_id }) => decided.has(pattern_id))
}

const NOTHING = {
  success: null,
  method: null,
  move_bps: null,
  minutes: null,
  position_id: null,
  reason: null,
}

const verdictRow = (pattern_id: number, verdict: Verdict): outcomesSql.VerdictRow => ({
  ...NOTHING,
  ...verdict,
  pattern_id,
})

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
