import { AppError, recallError } from '../../errors.js'
import type { Caller } from '../../lib/caller.js'
import { digestOf, type Question } from '../../lib/confirmation.js'
import { newId } from '../../lib/ids.js'
import { ASSISTANT, type MaintenanceAction } from '../../lib/maintenance-actions.js'
import { type PageKey, pageOf } from '../../lib/page.js'
import { EVERYTHING } from '../../lib/scope.js'
import type { Log } from '../../platform/log.js'
import type { Backends } from './backends.js'
import type { Answer } from './hands.js'
import { ActingLease } from './lease.js'
import { figuresIn, outcomeOf, sectionsOf, toldBy } from './measure.js'
import { digestOfAnswer } from './notes.js'
import type { Report } from './report.js'
import { Round, type RoundDeps } from './round.js'
import { lookAgain, observe, type Snapshot } from './snapshot.js'
import * as statements from './sql.js'

/** What the assistant is made from. */
export interface AssistantDeps extends RoundDeps {
  readonly serverId: string
  readonly log: Log
  readonly backends: Backends
  /** When the next round begins by itself; null when none does. */
  readonly nextRun: () => string | null
}

interface Decision {
  readonly recommendation_id: string
  readonly decision: 'approve' | 'deny'
  readonly reason?: string | undefined
}

/** An approved action that has begun. */
interface Begun {
  readonly row: statements.RecommendationRow
  readonly action_id: string
  readonly why: string
  readonly before: statements.LedgerRow['before']
}

interface Page {
  readonly limit: number
  readonly cursor?: PageKey | undefined
}

/** Looks after the database: plans, does what the policy allows, proposes the rest, and says what came of it. */
export class AssistantService {
  readonly #deps: AssistantDeps
  readonly #ending = new AbortController()

  constructor(deps: AssistantDeps) {
    this.#deps = deps
  }

  /** Ends what single connections do. */
  get backends(): Backends {
    return this.#deps.backends
  }

  /** Begins a round by itself; of several servers with the same key one does. */
  async begin(key: string, signal: AbortSignal): Promise<void> {
    const actor = { principal: ASSISTANT, owner: ASSISTANT, scope: EVERYTHING, signal }
    const call = { tool: 'run_maintenance', arguments: { dry_run: false }, key }
    const answer = await this.#deps.hands.call(call, actor, false)
    // Another round is under way, or the settings serve nothing that could be done.
    if (answer.ok || ['conflict', 'not_supported'].includes(answer.error.code)) return
    throw recallError(answer.error)
  }

  /** Waits for nothing any more. */
  close(): void {
    this.#ending.abort()
  }

  /**
   * One round. A dry run looks and says what would be done, and nothing else.
   *
   * @throws AppError `conflict` while another round is under way
   */
  async run({ dry_run }: { readonly dry_run: boolean }, call: Caller): Promise<Report> {
    const { database, serverId, clock, nextRun } = this.#deps
    if (dry_run) return new Round(this.#deps, null, call).run(nextRun())
    const at = clock.now().toISOString()
    const lease = await ActingLease.take(database, { serverId, at, signal: call.signal })
    try {
      return await new Round(this.#deps, lease, call).run(nextRun())
    } finally {
      await lease.end()
    }
  }

  /** What is to be confirmed before a recommendation is carried out; denying one needs no confirmation. */
  async questionBefore(input: Decision, call: Caller): Promise<Question | null> {
    if (input.decision === 'deny') return null
    const row = await this.#open(input.recommendation_id)
    const asked = await this.#deps.hands.question(row, call)
    const plan = planOf(row, asked)
    const what = `Carry out the recommendation ${row.recommendation_id}: ${row.tool} on ${row.action} (${row.reason})`
    return { message: asked ? `${what} ${asked.message}` : what, plan }
  }

  /**
   * Denies a recommendation, or carries out exactly what it showed, in the name of who approves it.
   *
   * @throws AppError of the tool when it failed; `conflict` when the recommendation waits no more
   */
  async decide(input: Decision, call: Caller) {
    const { database, clock } = this.#deps
    if (call.principal === ASSISTANT) throw notItself()
    const shown = await this.#open(input.recommendation_id)
    const agreed = input.decision === 'approve' ? await this.#agreed(shown, call) : null
    const row = await database.transaction((tx) =>
      tx.maybeOne(
        statements.decide(shown.recommendation_id, {
          status: input.decision === 'approve' ? 'approved' : 'denied',
          by: call.principal,
          reason: input.reason ?? null,
          at: clock.now().toISOString(),
        }),
      ),
    )
    if (!row) throw decided((await this.#find(shown.recommendation_id)).status)
    const { recommendation_id, status } = row
    if (status === 'denied') return { recommendation_id, status, result: null }
    return { recommendation_id, status, result: await this.#carryOut(row, agreed, call) }
  }

  /** The newest report; before the first one, that there is none. */
  async latest() {
    const row = await this.#deps.database.maybeOne(statements.latestReport())
    if (row) return row.report
    return {
      report_id: null,
      verdict: null,
      summary: 'There is no report yet. Call run_maintenance: with dry_run it changes nothing.',
      next_run: this.#deps.nextRun(),
    }
  }

  /** Reports, the newest first. */
  async reports({ limit, cursor }: Page) {
    const rows = await this.#deps.database.many(statements.listReports(limit, cursor))
    const { items, next_cursor } = pageOf(rows, limit, ({ at, report_id }) => [at, report_id])
    return { reports: items, next_cursor }
  }

  /** What was done, proposed and skipped, the newest first. */
  async actions({ limit, cursor }: Page) {
    const rows = await this.#deps.database.many(statements.listActions(limit, cursor))
    const { items, next_cursor } = pageOf(rows, limit, ({ at, action_id }) => [at, action_id])
    return { actions: items.map(({ measure: _, ...item }) => item), next_cursor }
  }

  /** Recommendations, the newest first. */
  async recommendations({ status, limit, cursor }: Page & { status?: string | undefined }) {
    const listed = statements.listRecommendations(status ?? null, limit, cursor)
    const rows = await this.#deps.database.many(listed)
    const { items, next_cursor } = pageOf(rows, limit, (row) => [
      row.created_at,
      row.recommendation_id,
    ])
    return { recommendations: items.map(({ measure: _, ...item }) => item), next_cursor }
  }

  async #find(id: string): Promise<statements.RecommendationRow> {
    const row = await this.#deps.database.maybeOne(statements.findRecommendation(id))
    if (row) return row
    throw new AppError('not_found', 'There is no such recommendation.', {
      hint: 'Those that wait are at catalyst://assistant/recommendations?status=open.',
    })
  }

  async #open(id: string): Promise<statements.RecommendationRow> {
    const row = await this.#find(id)
    if (row.status === 'open') return row
    throw decided(row.status)
  }

  /** The digest of the tool's own plan, which is part of what was confirmed. */
  async #agreed(row: statements.RecommendationRow, call: Caller): Promise<string | null> {
    const asked = await this.#deps.hands.question(row, call)
    if (digestOf(planOf(row, asked)) !== call.confirmedPlan) {
      throw new AppError('conflict', 'What the recommendation would do has changed meanwhile.', {
        hint: 'Nothing was done. Call again to see it as it is now.',
      })
    }
    return asked ? digestOf(asked.plan) : null
  }

  async #carryOut(row: statements.RecommendationRow, agreedPlan: string | null, call: Caller) {
    const { database, hands } = this.#deps
    const { measure } = row
    const seenBefore = measure && figuresIn(await this.#measured(measure, call), measure)
    const action_id = newId('act')
    const why = `Approved by ${call.principal}.`
    await database.run(
      statements.insertAction({
        ...row,
        action_id,
        report_id: null,
        at: this.#deps.clock.now().toISOString(),
        fence: 0,
        decision: 'running',
        why,
        before: seenBefore,
      }),
    )
    const request = { tool: row.tool, arguments: row.arguments, key: action_id, agreedPlan }
    const answer = await hands.call(request, call, false)
    const begun = { row, action_id, why, before: seenBefore }
    if (answer.ok && Object(answer.data).status === 'running') {
      // Who has approved it need not wait; what came of it is written down all the same.
      const signal = this.#ending.signal
      const { principal, owner, scope } = call
      void hands
        .call(request, { principal, owner, scope, signal }, true)
        .then((end) => this.#end(begun, end, { signal }))
        .catch((error: unknown) => this.#deps.log.warn({ err: error, action_id }, 'not written'))
      return Object(answer.data)
    }
    await this.#end(begun, answer, call)
    if (!answer.ok) throw recallError(answer.error)
    return Object(answer.data)
  }

  async #end(begun: Begun, answer: Answer, call: Pick<Caller, 'signal'>): Promise<void> {
    const { row, action_id, why } = begun
    const { measure, action, object, recommendation_id } = row
    const told = answer.ok && measure ? toldBy(measure, answer.data) : null
    const before = begun.before ?? told?.before ?? null
    const figures = measure
      ? (figuresIn(await this.#measured(measure, call), measure) ?? told?.after ?? null)
      : null
    const end = {
      decision: answer.ok ? ('done' as const) : ('failed' as const),
      why: answer.ok ? why : `${why} ${row.tool} failed (${answer.error.code}).`,
      before,
      after: answer.ok ? { ...digestOfAnswer(answer.data), ...figures } : null,
      outcome: measure && outcomeOf(measure, before, figures),
      recommendation_id,
      at: this.#deps.clock.now().toISOString(),
    }
    await this.#deps.database.transaction(async (tx) => {
      await tx.run(statements.finishAction(action_id, end))
      const result = answer.ok ? Object(answer.data) : { error: answer.error }
      await tx.run(statements.keepResult(recommendation_id, result))
      const { decision, outcome } = end
      await tx.emit('assistant.action', { action, object, decision, outcome })
    })
  }

  /** Only what the measure is of is looked at. */
  async #measured(
    measure: statements.RecommendationRow['measure'],
    { signal }: Pick<Caller, 'signal'>,
  ): Promise<Snapshot> {
    const { hands, clock } = this.#deps
    const nothing = await observe(
      () => Promise.resolve({ known: false, reason: 'It was not looked at.' }),
      clock.now(),
    )
    const sections = measure ? sectionsOf(measure) : []
    return lookAgain(nothing, sections, (path) => hands.read(path, signal), clock.now())
  }
}

/** Exactly what is shown to who decides. */
const planOf = (row: statements.RecommendationRow, asked: Question | null) => ({
  recommendation_id: row.recommendation_id,
  action: row.action as MaintenanceAction,
  object: row.object,
  tool: row.tool,
  arguments: row.arguments,
  reason: row.reason,
  asks: asked ? asked.plan : null,
})

const decided = (status: string): AppError =>
  new AppError('conflict', `The recommendation waits no more: it is ${status}.`, {
    hint: 'Those that wait are at catalyst://assistant/recommendations?status=open.',
  })

const notItself = (): AppError =>
  new AppError('permission_denied', 'The assistant decides on nothing that it has proposed.')
