import { AppError } from '../../errors.js'
import type { Clock } from '../../lib/clock.js'
import { newId } from '../../lib/ids.js'
import { pageOf } from '../../lib/page.js'
import { ref } from '../../lib/refs.js'
import { instantText } from '../../lib/utc-text.js'
import type { Database } from '../../platform/postgres/database.js'
import type { Queryable, Transaction } from '../../platform/postgres/queryable.js'
import type { Policy } from '../../policy.js'
import type { SecurityService } from '../market/securities.service.js'
import { type RiskFacts, rejections, riskParameters } from './risk-parameters.js'
import { assertKnown, factsKey, factWarnings, riskFacts } from './signal-facts.js'
import { evidenceOf, signalRow } from './signal-record.js'
import { changeOf, reasonsOf } from './signal-status.js'
import type {
  NewSignal,
  SignalAnswer,
  SignalFilter,
  StatusAnswer,
  StatusChange,
} from './signals.schemas.js'
import * as signalsSql from './signals.sql.js'

/** What signals are made from. */
export interface SignalDeps {
  readonly database: Database
  readonly securities: SecurityService
  readonly clock: Clock
  readonly risk: Policy['risk']
}

const MINUTE_MS = 60_000
/** A pattern's name means its newest detection of the last day. */
const DETECTION_AGE_MS = 24 * 60 * MINUTE_MS

const noSuchSignal = (): AppError =>
  new AppError('not_found', 'There is no signal with this signal_id.', {
    hint: 'Read catalyst://signals for those there are.',
  })

/** Signals, checked against the limits of risk, and what becomes of them. */
export class SignalService {
  readonly #deps: SignalDeps

  constructor(deps: SignalDeps) {
    this.#deps = deps
  }

  /**
   * Stores a signal with its evidence and what the limits of risk make of it. Entries of one account
   * are judged one after the other, each counting those before it; a fill recorded at the same moment
   * may or may not count.
   *
   * @throws AppError `not_found` for a story that is not stored
   */
  async persistSignal(tx: Transaction, signal: NewSignal): Promise<SignalAnswer> {
    const evidence = evidenceOf(signal)
    await this.#registerBeside(tx, evidence.patterns)
    const security_id = await this.#deps.securities.idOf(tx, signal.symbol)
    if (signal.signal_type !== 'HOLD') await tx.run(signalsSql.lockAccount(signal.account_id))
    // After the lock: what has expired while it was waited for holds no place any more.
    const nowMs = this.#deps.clock.now().getTime()
    const stored = await tx.one(signalsSql.readFacts(factsKey(signal, security_id, nowMs)))
    assertKnown(signal.catalyst_context.news_ids, stored.known_news)
    const facts = riskFacts(signal, stored, nowMs)
    const answer = {
      account_id: signal.account_id,
      ...this.#judge(facts, nowMs),
      warnings: factWarnings(facts),
    }
    const record = { signal, security_id, facts, answer, created_at: instantText(nowMs) }
    const detected_since = instantText(nowMs - DETECTION_AGE_MS)
    await tx.run(signalsSql.insertSignal(signalRow(record), { ...evidence, detected_since }))
    tx.mention([ref('signal', answer.signal_id, signal.symbol)])
    return answer
  }

  /**
   * Moves a pending signal to a final status; the status it has already changes nothing.
   *
   * @throws AppError `not_found`, or `precondition_failed` when it has another final status
   */
  async updateStatus(tx: Transaction, change: StatusChange): Promise<StatusAnswer> {
    const { signal_id, status } = change
    const now = this.#deps.clock.now().toISOString()
    const current = await tx.maybeOne(signalsSql.lockSignal(signal_id, now))
    if (!current) throw noSuchSignal()
    const previous_status = current.status
    if (previous_status === status) {
      return { signal_id, previous_status, status, changed: false, reason: current.reason }
    }
    const next = changeOf(change, current)
    await tx.run(signalsSql.setStatus(next))
    tx.mention([ref('signal', signal_id, current.symbol)])
    return { signal_id, previous_status, status, changed: true, reason: next.reason }
  }

  /** A page of signals, newest first. */
  async list(filter: SignalFilter, tx: Queryable | null) {
    const now = this.#deps.clock.now().toISOString()
    const rows = await (tx ?? this.#deps.database).many(signalsSql.listSignals(filter, now))
    return pageOf(rows, filter.limit, (row) => [row.created_at, row.signal_id])
  }

  /**
   * One signal in full, with the reasons for its status.
   *
   * @throws AppError `not_found`
   */
  async get(signalId: string, tx: Queryable | null) {
    const now = this.#deps.clock.now().toISOString()
    const found = await (tx ?? this.#deps.database).maybeOne(signalsSql.findSignal(signalId, now))
    if (!found) throw noSuchSignal()
    return { ...found, reasons: reasonsOf(found) }
  }

  #judge(facts: RiskFacts, nowMs: number) {
    const { risk } = this.#deps
    const risk_parameters = riskParameters(facts, risk)
    const reasons = rejections(risk_parameters)
    return {
      signal_id: newId('sig'),
      status: reasons.length > 0 ? ('rejected' as const) : ('pending' as const),
      reasons,
      risk_parameters,
      expires_at: instantText(nowMs + Math.ceil(risk.signal_minutes * MINUTE_MS)),
    }
  }

  /**
   * Registers patterns beside a transaction that a client holds open, or whoever names one of them
   * next would wait for it. One with an older snapshot does not see them, and PostgreSQL answers its
   * own attempt as a serialization failure; repeated, the transaction sees them.
   */
  async #registerBeside(tx: Transaction, patterns: readonly string[]): Promise<void> {
    if (tx.held === null || patterns.length === 0) return
    const register = signalsSql.addPatternTypes(patterns)
    const { signal } = tx
    await this.#deps.database.transaction((own) => own.run(register), { signal })
  }
}
