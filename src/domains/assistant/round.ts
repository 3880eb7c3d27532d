import type { Clock } from '../../lib/clock.js'
import { newId } from '../../lib/ids.js'
import { ASSISTANT } from '../../lib/maintenance-actions.js'
import { EVERYTHING } from '../../lib/scope.js'
import type { Database } from '../../platform/postgres/database.js'
import type { Policy } from '../../policy.js'
import { disabled, type Gated, gate, type History } from './gate.js'
import type { Hands } from './hands.js'
import type { ActingLease } from './lease.js'
import { figuresIn, outcomeOf, sectionsOf, toldBy } from './measure.js'
import { digestOfAnswer } from './notes.js'
import { candidates, couldShow } from './plan.js'
import type { LastReport, Report, ReportedAction } from './report.js'
import { reportOf } from './report.js'
import { lookAgain, observe, type Reader, type Snapshot } from './snapshot.js'
import * as statements from './sql.js'

/** What a round works with. */
export interface RoundDeps {
  readonly database: Database
  readonly hands: Hands
  readonly policy: Policy['assistant']
  readonly clock: Clock
}

interface RoundCall {
  readonly signal: AbortSignal
  progress(done: number, total: number, message: string): void
}

const DAY_MS = 86_400_000
/** What is longer ago says nothing about today. */
const HISTORY_DAYS = 30
/** An effect that cannot be told by then is not told any more. */
const SETTLE_DAYS = 1
const KEEP_DAYS = 90
const HOUR_MS = 3_600_000

/** One round: look, plan, decide, do, measure, report. Without a lease nothing is done or proposed. */
export class Round {
  readonly #deps: RoundDeps
  readonly #lease: ActingLease | null
  readonly #call: RoundCall
  readonly #id = newId('rep')
  readonly #startedAt = performance.now()

  constructor(deps: RoundDeps, lease: ActingLease | null, call: RoundCall) {
    this.#deps = deps
    this.#lease = lease
    this.#call = call
  }

  /** Runs it and keeps its report. */
  async run(nextRun: string | null): Promise<Report> {
    const { database, policy } = this.#deps
    const last = await lastReport(database)
    await this.#abandon()
    this.#call.progress(0, 1, 'Looking at everything.')
    let snapshot = await observe(this.#read, this.#now())
    await this.#settle(snapshot)
    const history = await this.#history()
    const found = candidates(snapshot)
    await this.#withdraw(history, found, snapshot)
    const gated = gate(found, snapshot, policy, history, this.#now())
    const actions: ReportedAction[] = []
    for (const [index, one] of gated.entries()) {
      this.#call.progress(index, gated.length, `${one.action} ${one.object}`)
      actions.push(await this.#take(one, snapshot))
    }
    // The verdict is that of after the actions.
    if (actions.some(({ decision }) => decision === 'done')) {
      const again = ['status', 'backups', 'sync', 'tables', 'cache', 'locks'] as const
      snapshot = await lookAgain(snapshot, again, this.#read, this.#now())
    }
    const report = reportOf({
      report_id: this.#id,
      dry_run: this.#lease === null,
      snapshot,
      actions,
      disabled: disabled(await this.#history(), this.#now()),
      last,
      next_run: nextRun,
    })
    await this.#keep(report)
    return report
  }

  readonly #read: Reader = (path) => this.#deps.hands.read(path, this.#call.signal)

  #now(): Date {
    return this.#deps.clock.now()
  }

  #ago(days: number): string {
    return new Date(this.#now().getTime() - days * DAY_MS).toISOString()
  }

  /** What others had begun and nobody has written the end of: its effect can still be measured. */
  async #abandon(): Promise<void> {
    if (!this.#lease) return
    const why = 'The server that did it ended before it could say what came of it.'
    await this.#deps.database.run(statements.abandonActions(this.#lease.fence, why))
  }

  /** Tells the effects that could not be told when the action was done. */
  async #settle(snapshot: Snapshot): Promise<void> {
    if (!this.#lease) return
    const { database } = this.#deps
    const open = await database.many(statements.unsettledActions(this.#ago(SETTLE_DAYS)))
    for (const { action_id, action, object, decision, measure, before } of open) {
      const after = measure && figuresIn(snapshot, measure)
      const outcome = measure && outcomeOf(measure, before, after)
      if (!after || !outcome || decision === 'running') continue
      await database.transaction(async (tx) => {
        await tx.run(statements.settleAction(action_id, after, outcome))
        await tx.emit('assistant.action', { action, object, decision, outcome })
      })
    }
  }

  async #history(): Promise<History> {
    const { database, policy } = this.#deps
    const since = this.#ago(HISTORY_DAYS)
    const standing = await database.one(statements.standing())
    const actions = await database.many(statements.pastActions(since))
    const recommendations = await database.many(statements.pastRecommendations(since))
    const first = Date.parse(standing.first_round_at ?? this.#now().toISOString())
    return {
      actions,
      recommendations,
      trialUntil: new Date(first + policy.trial_days * DAY_MS).toISOString(),
      isStopped: standing.stopped_at !== null,
      enabledAt: standing.enabled,
    }
  }

  /** Withdraws what waits although its reason is gone, or although something else is wanted now. */
  async #withdraw(
    { recommendations }: History,
    found: readonly { action: string; object: string; tool: string; arguments: unknown }[],
    snapshot: Snapshot,
  ): Promise<void> {
    if (!this.#lease) return
    const { database } = this.#deps
    const at = this.#now().toISOString()
    const gone = recommendations.filter(
      (one) =>
        one.status === 'open' &&
        couldShow(one.action, snapshot) &&
        !found.some((other) => other.action === one.action && other.object === one.object),
    )
    await database.transaction(async (tx) => {
      await tx.run(statements.expireRecommendations(at))
      if (gone.length === 0) return
      const ids = gone.map(({ recommendation_id }) => recommendation_id)
      await tx.run(statements.supersede(ids, at, 'The reason for it is gone.'))
    })
  }

  async #take(one: Gated, snapshot: Snapshot): Promise<ReportedAction> {
    const { verdict, why } = one
    if (!this.#lease)
      return this.#told(one, verdict === 'skip' ? 'skipped' : 'would_do', wouldBe(one))
    if (verdict === 'do') return this.#do(one, snapshot, this.#lease)
    if (verdict === 'propose') return this.#propose(one, why)
    return this.#write(one, verdict === 'observe' ? 'would_do' : 'skipped', why)
  }

  /** Writes down that it begins, does it, measures, and writes down what came of it. */
  async #do(one: Gated, snapshot: Snapshot, lease: ActingLease): Promise<ReportedAction> {
    const { hands, policy } = this.#deps
    const left = policy.budget.minutes * 60_000 - (performance.now() - this.#startedAt)
    if (left <= 0) return this.#write(one, 'skipped', 'The minutes of the round are used up.')
    if (!(await lease.keep())) {
      return this.#write(
        one,
        'skipped',
        'The emergency stop was pulled, or another server acts now.',
      )
    }
    const { measure } = one
    const [again] = measure ? [await this.#lookAt(measure, snapshot)] : [snapshot]
    const before = measure && figuresIn(again ?? snapshot, measure)
    const action_id = await this.#begin(one, before)
    const overdue = new AbortController()
    const timer = setTimeout(() => overdue.abort(), Math.min(left, DAY_MS))
    const signal = AbortSignal.any([this.#call.signal, lease.lost, overdue.signal])
    const actor = { principal: ASSISTANT, owner: ASSISTANT, scope: EVERYTHING, signal }
    const call = { tool: one.tool, arguments: one.arguments, key: action_id }
    const answer = await hands.call(call, actor, true).finally(() => clearTimeout(timer))
    if (answer.ok) return this.#done(one, action_id, before, answer.data, snapshot)
    const { code, message } = answer.error
    if (code === 'confirmation_required') {
      // Nobody agrees to anything in its own name.
      return this.#propose(
        one,
        'The tool asks for a confirmation, which a person gives.',
        action_id,
      )
    }
    const why = `${one.tool} failed (${code}): ${message}`.slice(0, 1_000)
    await this.#finish(one, action_id, {
      decision: 'failed',
      why,
      before,
      after: null,
      outcome: null,
    })
    return { ...this.#told(one, 'failed', why), action_id, before }
  }

  async #done(
    one: Gated,
    action_id: string,
    seenBefore: statements.LedgerRow['before'],
    data: unknown,
    snapshot: Snapshot,
  ): Promise<ReportedAction> {
    const { measure } = one
    const told = measure && toldBy(measure, data)
    const after = measure
      ? (figuresIn(await this.#lookAt(measure, snapshot), measure) ?? told?.after ?? null)
      : null
    const before = seenBefore ?? told?.before ?? null
    const outcome = measure && outcomeOf(measure, before, after)
    const noted = { ...digestOfAnswer(data), ...after }
    const end = { decision: 'done', why: one.why, before, after: noted, outcome } as const
    await this.#finish(one, action_id, end)
    return { ...this.#told(one, 'done', one.why), action_id, before, after: noted, outcome }
  }

  #lookAt(measure: NonNullable<Gated['measure']>, snapshot: Snapshot): Promise<Snapshot> {
    return lookAgain(snapshot, sectionsOf(measure), this.#read, this.#now())
  }

  /** Puts it to whoever decides, once. */
  async #propose(
    one: Gated,
    why: string,
    action_id: string | null = null,
  ): Promise<ReportedAction> {
    if (one.recommendationId && !action_id) {
      return { ...this.#told(one, 'proposed', why), recommendation_id: one.recommendationId }
    }
    const { database, policy } = this.#deps
    const now = this.#now()
    const recommendation = {
      ...pick(one),
      recommendation_id: newId('rec'),
      measure: one.measure,
      created_at: now.toISOString(),
      expires_at: new Date(now.getTime() + policy.expire_hours * HOUR_MS).toISOString(),
    }
    const { recommendation_id } = recommendation
    const rowId = action_id ?? newId('act')
    await database.transaction(async (tx) => {
      const open = (await tx.many(statements.pastRecommendations(now.toISOString()))).filter(
        (other) => other.action === one.action && other.object === one.object,
      )
      const ids = open.map((other) => other.recommendation_id)
      await tx.run(statements.supersede(ids, now.toISOString(), 'Another call is wanted now.'))
      await tx.many(statements.insertRecommendation(recommendation))
      const end = { decision: 'proposed', why, before: null, after: null, outcome: null } as const
      if (action_id) {
        await tx.run(
          statements.finishAction(action_id, { ...end, recommendation_id, at: now.toISOString() }),
        )
      } else {
        await tx.run(
          statements.insertAction({
            ...this.#row(one, rowId),
            decision: 'proposed',
            why,
            recommendation_id,
          }),
        )
      }
      const { action, object } = one
      await tx.emit('assistant.action', { action, object, decision: 'proposed', outcome: null })
    })
    return { ...this.#told(one, 'proposed', why), action_id: rowId, recommendation_id }
  }

  async #begin(one: Gated, before: statements.LedgerRow['before']): Promise<string> {
    const action_id = newId('act')
    const row = { ...this.#row(one, action_id), decision: 'running', why: one.why, before } as const
    await this.#deps.database.run(statements.insertAction(row))
    return action_id
  }

  async #finish(
    { action, object }: Gated,
    action_id: string,
    end: Pick<statements.LedgerRow, 'why' | 'before' | 'after' | 'outcome'> & {
      decision: 'done' | 'failed'
    },
  ): Promise<void> {
    const at = this.#now().toISOString()
    await this.#deps.database.transaction(async (tx) => {
      await tx.run(statements.finishAction(action_id, { ...end, recommendation_id: null, at }))
      const { decision, outcome } = end
      await tx.emit('assistant.action', { action, object, decision, outcome })
      // What waited for the same is done.
      const open = await tx.many(statements.pastRecommendations(at))
      const same = open.filter((other) => other.action === action && other.object === object)
      const ids = same.map(({ recommendation_id }) => recommendation_id)
      await tx.run(statements.supersede(ids, at, 'It was done without waiting.'))
    })
  }

  async #write(one: Gated, decision: 'skipped' | 'would_do', why: string): Promise<ReportedAction> {
    const action_id = newId('act')
    await this.#deps.database.run(
      statements.insertAction({ ...this.#row(one, action_id), decision, why }),
    )
    return { ...this.#told(one, decision, why), action_id }
  }

  #row(one: Gated, action_id: string) {
    return {
      ...pick(one),
      action_id,
      report_id: this.#id,
      recommendation_id: null,
      at: this.#now().toISOString(),
      fence: this.#lease?.fence ?? 0,
      measure: one.measure,
      before: null,
    }
  }

  #told(one: Gated, decision: ReportedAction['decision'], why: string): ReportedAction {
    const nothing = { before: null, after: null, outcome: null, action_id: null }
    return { ...pick(one), ...nothing, decision, why, recommendation_id: one.recommendationId }
  }

  async #keep(report: Report): Promise<void> {
    const { report_id, verdict } = report
    const before = this.#ago(KEEP_DAYS)
    await this.#deps.database.transaction(async (tx) => {
      await tx.run(statements.insertReport(report))
      await tx.run(statements.forgetReports(before))
      await tx.run(statements.forgetActions(before))
      await tx.run(statements.forgetRecommendations(before))
      await tx.emit('assistant.report', { report_id, verdict })
    })
  }
}

const pick = ({ action, object, tool, arguments: args, reason, evidence }: Gated) => ({
  action,
  object,
  tool,
  arguments: { ...args },
  reason,
  evidence: { ...evidence },
})

/** What a dry run says of what it does not do. */
function wouldBe({ verdict, why }: Gated): string {
  if (verdict === 'propose') return `It would be proposed: ${why}`
  return verdict === 'do' ? `It would be done: ${why}` : why
}

/** The report before; one of another version is none. */
async function lastReport(database: Database): Promise<LastReport> {
  const row = await database.maybeOne(statements.latestReport())
  const { verdict, findings, at } = Object(row?.report)
  return Array.isArray(findings) ? { verdict, findings, at } : null
}
