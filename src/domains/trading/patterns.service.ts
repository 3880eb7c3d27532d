import { AppError } from '../../errors.js'
import type { Clock } from '../../lib/clock.js'
import { pageOf } from '../../lib/page.js'
import { ref } from '../../lib/refs.js'
import { wilsonInterval } from '../../lib/statistics.js'
import { type SuccessRate, successRate, typeRate } from '../../lib/success-rate.js'
import type { Database } from '../../platform/postgres/database.js'
import type { Queryable, Transaction } from '../../platform/postgres/queryable.js'
import type { Policy } from '../../policy.js'
import type { Buildable, ReadThrough } from '../cache/read-through.service.js'
import type { SecurityService } from '../market/securities.service.js'
import { detectionRow, differences } from './pattern-detection.js'
import { listDetections } from './pattern-list.sql.js'
import {
  type DetectionFilter,
  type OutcomeAnswer,
  type PatternAnswer,
  type PatternDetection,
  type PatternOutcome,
  statisticsPage,
} from './patterns.schemas.js'
import * as patternsSql from './patterns.sql.js'

/** What patterns are made from. */
export interface PatternDeps {
  readonly database: Database
  readonly securities: SecurityService
  readonly clock: Clock
  readonly learning: Policy['learning']
  readonly cached: Pick<ReadThrough, 'read'>
}

/** How often the patterns of one type came true. */
export interface TypeRate {
  readonly n: number
  readonly rate: number
}

/** Of one symbol, and of one of those. */
const [MAX_TYPES, MAX_KINDS, NEWEST_DETECTIONS] = [50, 50, 10]
/** A transaction that stores the same detection commits within a moment, unless a client holds it. */
const PATIENCE = '500ms'

/** Pattern detections, their outcomes, and how often they came true. */
export class PatternService {
  readonly #deps: PatternDeps

  constructor(deps: PatternDeps) {
    this.#deps = deps
  }

  /** Stores a detection with its pending outcome, or answers the stored one it repeats. */
  async persistDetection(tx: Transaction, detection: PatternDetection): Promise<PatternAnswer> {
    const { securities, clock } = this.#deps
    const given = detectionRow(detection, clock.now())
    let isNewType = tx.held !== null && (await this.#registerBeside(tx, given.pattern_type))
    const security_id = await securities.idOf(tx, detection.symbol)
    const row = { ...given, security_id }
    const patience = tx.held ? null : PATIENCE
    let added = await tx.one(patternsSql.addDetection(row, patience))
    if (!added.is_known_type) {
      isNewType = (await tx.run(patternsSql.addType(row.pattern_type))) > 0
      added = await tx.one(patternsSql.addDetection(row, patience))
    }
    if (added.pattern_id === null) return this.#known(tx, row)
    tx.touch('patterns', [detection.symbol])
    tx.mention([ref('pattern', added.pattern_id, detection.symbol)])
    const isGuess = isNewType && row.direction === null
    const warnings = [
      ...(isGuess ? ['pattern_type: new, so its direction is taken as neutral'] : []),
      ...(await contradictedAlignment(tx, row)),
    ]
    const { pattern_id } = added
    return { pattern_id, ...this.#answerOf(added), duplicate: false, warnings }
  }

  /**
   * Puts an outcome told by hand in place of what was known.
   *
   * @throws AppError `not_found` when there is no such pattern
   */
  async updateOutcome(tx: Transaction, outcome: PatternOutcome): Promise<OutcomeAnswer> {
    const { pattern_id, success, actual_move: move_bps = null, evidence = {} } = outcome
    const row = { pattern_id, success, move_bps, evidence }
    const known = await tx.maybeOne(patternsSql.lockOutcome(row))
    if (!known) {
      throw new AppError('not_found', 'There is no pattern with this id.', {
        hint: 'Pass pattern_id as persist_pattern_detection answered it.',
      })
    }
    const { is_same, symbol, ...previous } = known
    if (!is_same) {
      tx.touch('patterns', [symbol])
      tx.mention([ref('pattern', pattern_id, symbol)])
      await tx.run(patternsSql.resolveByHand(row))
      await this.countOutcomes(tx)
    }
    const { rate, sample_size } = this.#rateOf(await tx.one(patternsSql.countsOf(pattern_id)))
    return {
      pattern_id,
      changed: !is_same,
      previous,
      status: 'resolved',
      success,
      method: 'manual',
      move_bps,
      historical_success_rate: rate,
      sample_size,
    }
  }

  /**
   * Counts the outcomes that the transaction changed. Everybody who learns locks the same few rows,
   * so a transaction that a client holds open counts just before it commits.
   */
  async countOutcomes(tx: Transaction): Promise<void> {
    // Statistics are of no single symbol.
    tx.touch('patterns', [null])
    if (tx.held) tx.held.beforeCommit(countNow)
    else await countNow(tx)
  }

  /** The success rates of all pattern types with outcomes. */
  async typeRates(tx: Queryable): Promise<ReadonlyMap<string, TypeRate>> {
    const { pattern_prior_strength: strength } = this.#deps.learning
    const rows = await tx.many(patternsSql.countsByType())
    return new Map(
      rows.map((row) => [row.pattern_type, { n: row.n, rate: typeRate(row, strength) }]),
    )
  }

  /** One page of detections with their outcomes, the newest detected first. */
  async list(filter: DetectionFilter, tx: Queryable | null) {
    const rows = await (tx ?? this.#deps.database).many(listDetections(filter))
    return pageOf(rows, filter.limit, (row) => [row.detected_at, String(row.pattern_id)])
  }

  /** One page of statistics, by pattern type, timeframe and catalyst. */
  statistics(tx: Queryable | null, filter: patternsSql.StatisticsFilter) {
    const { pattern_type = '', timeframe = '', limit } = filter
    const load = () => this.#statistics(tx ?? this.#deps.database, filter)
    if (tx || filter.cursor) return load()
    return this.#deps.cached.read({
      type: 'patterns',
      name: `statistics:${pattern_type}:${timeframe}:${limit}`,
      schema: statisticsPage,
      load,
      symbolsOf: () => [null],
      isKept: ({ items }) => items.length > 0,
    })
  }

  /** What is known of each pattern type that was detected in a symbol, to be cached. */
  async results(symbol: string): Promise<Buildable<{ readonly symbol: string }>[]> {
    const types = await this.#deps.database.many(patternsSql.typesOfSymbol(symbol, MAX_TYPES))
    return types.map(({ pattern_type }) => ({
      type: 'patterns' as const,
      name: `${symbol}:${pattern_type}`,
      load: () => this.#result(symbol, pattern_type),
      symbolsOf: () => [symbol, null],
      isKept: () => true,
    }))
  }

  async #result(symbol: string, pattern_type: string) {
    const { database } = this.#deps
    const { items } = await this.#statistics(database, { pattern_type, limit: MAX_KINDS })
    const detections = await database.many(
      patternsSql.latestDetections(symbol, pattern_type, NEWEST_DETECTIONS),
    )
    return { symbol, pattern_type, statistics: items, detections }
  }

  async #statistics(db: Queryable, filter: patternsSql.StatisticsFilter) {
    const rows = await db.many(patternsSql.listStatistics(filter))
    const keyOf = (row: patternsSql.StatisticsRow) => [
      row.pattern_type,
      row.timeframe,
      row.catalyst,
    ]
    const { items, next_cursor } = pageOf(rows, filter.limit, keyOf)
    return { items: items.map((row) => this.#statisticOf(row)), next_cursor }
  }

  async #known(tx: Transaction, row: patternsSql.DetectionRow): Promise<PatternAnswer> {
    const known = await tx.one(patternsSql.findDetection(row))
    const { pattern_id } = known
    return { pattern_id, ...this.#answerOf(known), duplicate: true, warnings: differences(known) }
  }

  /**
   * Everybody else who uses a new type would wait for an open transaction that registers it. Done
   * first, because one with a single snapshot sees only what was there before its first statement.
   */
  async #registerBeside(tx: Transaction, patternType: string): Promise<boolean> {
    const register = (own: Transaction) => own.run(patternsSql.addType(patternType))
    return (await this.#deps.database.transaction(register, { signal: tx.signal })) > 0
  }

  #answerOf(row: patternsSql.CountsRow) {
    const { rate, ...rest } = this.#rateOf(row)
    return { historical_success_rate: rate, ...rest }
  }

  #rateOf(row: patternsSql.CountsRow): SuccessRate {
    return successRate(
      {
        type: { n: row.type_n, wins: row.type_wins },
        type_catalyst: { n: row.catalyst_n, wins: row.catalyst_wins },
        type_timeframe_catalyst: { n: row.kind_n, wins: row.kind_wins },
      },
      this.#deps.learning.pattern_prior_strength,
    )
  }

  #statisticOf(row: patternsSql.StatisticsRow) {
    const { pattern_type, timeframe, catalyst, kind_n: n, kind_wins: wins } = row
    const { low, high } = wilsonInterval(wins, n)
    const shrunk = this.#rateOf(row).rate
    const rate = n === 0 ? null : wins / n
    return { pattern_type, timeframe, catalyst, n, wins, rate, ci_low: low, ci_high: high, shrunk }
  }
}

/** An alignment is the pattern's direction times the news' ; only its size is free. */
async function contradictedAlignment(
  tx: Transaction,
  row: patternsSql.DetectionRow,
): Promise<string[]> {
  if (!row.has_catalyst || row.alignment_score === 0) return []
  const { news, pattern } = await tx.one(patternsSql.expectedDirection(row))
  if (news === null || news * pattern * row.alignment_score >= 0) return []
  const side = news === pattern ? 'with' : 'against'
  return [
    `catalyst_alignment: by the expected_direction of the last day's news it speaks ${side} the pattern, so the sign of alignment_score contradicts it`,
  ]
}

const countNow = async (tx: Transaction): Promise<void> => {
  await tx.run(patternsSql.countOutcomes())
}
