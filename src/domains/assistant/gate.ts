import { canonicalJson } from '../../lib/canonical-json.js'
import {
  MAINTENANCE_ACTIONS,
  type MaintenanceAction,
  type MaintenanceOutcome,
} from '../../lib/maintenance-actions.js'
import { marketState } from '../../lib/market-clock.js'
import type { Policy } from '../../policy.js'
import type { Candidate } from './plan.js'
import type { Snapshot } from './snapshot.js'

/** One thing that the assistant did before, or tried. */
export interface Past {
  readonly action: MaintenanceAction
  readonly object: string
  /** ISO 8601. */
  readonly at: string
  readonly outcome: MaintenanceOutcome | null
}

/** A recommendation as far as it matters for the next one. */
export interface PastRecommendation {
  readonly recommendation_id: string
  readonly action: MaintenanceAction
  readonly object: string
  readonly tool: string
  readonly arguments: Readonly<Record<string, unknown>>
  readonly status: 'open' | 'denied'
  /** When it was made, or denied; ISO 8601. */
  readonly at: string
}

/** What was before, as far as the next round must know it. */
export interface History {
  readonly actions: readonly Past[]
  readonly recommendations: readonly PastRecommendation[]
  /** The end of the first days, in which nothing is done unasked; ISO 8601, or null when they are over. */
  readonly trialUntil: string | null
  /** Somebody has pulled the emergency stop. */
  readonly isStopped: boolean
  /** Since when an operator has enabled an action again; ISO 8601. */
  readonly enabledAt: Partial<Readonly<Record<MaintenanceAction, string>>>
}

/** What is to become of a candidate, and why. */
export interface Gated extends Candidate {
  readonly verdict: 'do' | 'propose' | 'observe' | 'skip'
  readonly why: string
  /** Of an open recommendation that says the same. */
  readonly recommendationId: string | null
}

type Verdict = Pick<Gated, 'verdict' | 'why'> & Partial<Gated>

/** So often may an action make things worse in these days before it is disabled. */
const WORSE = 2
const WORSE_DAYS = 30
/** What a person has denied is not put to them again before. */
const DENIED_HOURS = 24
const LAG_SECONDS = 30
const HOUR_MS = 3_600_000

/** Decides on every candidate. Pure: the same picture, policy, history and time come to the same. */
export function gate(
  candidates: readonly Candidate[],
  snapshot: Snapshot,
  policy: Policy['assistant'],
  history: History,
  now: Date,
): Gated[] {
  const spent = { actions: 0, bytes: 0, touched: new Set<string>() }
  return candidates.map((candidate) => {
    const verdict =
      refusal(candidate, policy, history, now) ??
      (candidate.touches !== null && spent.touched.has(candidate.touches)
        ? skip('Another action of this round touches the same object.')
        : null) ??
      asked(candidate, policy, history, now) ??
      held(candidate, snapshot, policy, now) ??
      afford(candidate, policy, spent)
    const isWanted = verdict.verdict === 'do' || verdict.verdict === 'propose'
    if (isWanted && candidate.touches !== null) spent.touched.add(candidate.touches)
    if (verdict.verdict === 'do') {
      spent.actions += 1
      spent.bytes += candidate.bytes ?? 0
    }
    return { ...candidate, recommendationId: null, ...verdict }
  })
}

/** The actions that were disabled because they made things worse. */
export const disabled = (history: History, now: Date): MaintenanceAction[] =>
  MAINTENANCE_ACTIONS.filter((action) => madeWorse(action, history, now).length >= WORSE)

const skip = (why: string): Verdict => ({ verdict: 'skip', why })

/** Why nothing is to become of it, not even a proposal. */
function refusal(
  candidate: Candidate,
  policy: Policy['assistant'],
  history: History,
  now: Date,
): Verdict | null {
  const { action, object } = candidate
  const { mode, cooldown_minutes } = policy[action]
  if (policy.stop || history.isStopped) return skip('The emergency stop is pulled.')
  const worse = madeWorse(action, history, now)
  if (worse.length >= WORSE) {
    return skip(
      `Disabled: it made things worse ${worse.length} times, last at ${worse.at(-1)?.at}. Enable it with catalyst-db maintain --enable ${action}.`,
    )
  }
  if (mode === 'observe') {
    return { verdict: 'observe', why: 'The policy says observe.' }
  }
  const last = newest(history.actions.filter(same(action, object)))
  const rest = cooldown_minutes * 60_000
  if (last !== null && now.getTime() < last + rest) {
    return skip(`It was done at ${iso(last)} and rests until ${iso(last + rest)}.`)
  }
  const denied = newest(
    history.recommendations.filter((one) => one.status === 'denied' && same(action, object)(one)),
  )
  const pause = Math.max(rest, DENIED_HOURS * HOUR_MS)
  if (denied === null || now.getTime() >= denied + pause) return null
  return skip(`It was denied and is not proposed again before ${iso(denied + pause)}.`)
}

/** Whether a person is to decide. */
function asked(
  candidate: Candidate,
  policy: Policy['assistant'],
  history: History,
  now: Date,
): Verdict | null {
  const { action, object, onlyAsked } = candidate
  const open = history.recommendations.find(
    (one) => one.status === 'open' && same(action, object)(one) && isSameCall(one, candidate),
  )
  const why = reasonToAsk(policy[action].mode, onlyAsked, history.trialUntil, now)
  if (why === null) return null
  return { verdict: 'propose', why, recommendationId: open?.recommendation_id ?? null }
}

function reasonToAsk(
  mode: string,
  onlyAsked: string | null,
  trialUntil: string | null,
  now: Date,
): string | null {
  if (mode === 'propose') return 'The policy says propose.'
  if (onlyAsked !== null) return onlyAsked
  if (trialUntil === null || now.getTime() >= Date.parse(trialUntil)) return null
  return `Until ${trialUntil} the assistant is on trial and only proposes.`
}

/** Whether this is not the moment. */
function held(
  candidate: Candidate,
  { status }: Snapshot,
  policy: Policy['assistant'],
  now: Date,
): Verdict | null {
  const market = marketState(now.getTime())
  const isClosed = market === 'closed' || market === 'weekend'
  if (policy[candidate.action].window === 'market_closed' && !isClosed) {
    return skip(`Outside its window: the market is not closed (${market}).`)
  }
  if (!candidate.isHeavy) return null
  if (!status.known) return skip('How busy the database is, is not known.')
  const { active, max } = status.value.connection_pool
  const lag = status.value.replication_lag?.max_lag_seconds ?? 0
  if (active > max * policy.load_share) {
    return skip(`The database is busy: ${active} of ${max} pooled connections are in use.`)
  }
  return lag > LAG_SECONDS ? skip(`A replica is ${Math.round(lag)} s behind.`) : null
}

/** Whether the budget of the round allows one more. */
function afford(
  { bytes }: Candidate,
  { budget }: Policy['assistant'],
  spent: { readonly actions: number; readonly bytes: number },
): Verdict {
  if (spent.actions >= budget.actions) {
    return skip(`The budget of the round is used up: ${budget.actions} actions.`)
  }
  if (budget.minutes <= 0) return skip('The budget of the round has no minutes.')
  const isUnknown = bytes === null && budget.bytes <= 0
  if (isUnknown || spent.bytes + (bytes ?? 0) > budget.bytes) {
    return skip(`It would go through more than the budget of the round: ${budget.bytes} bytes.`)
  }
  return { verdict: 'do', why: 'The policy says auto.' }
}

function madeWorse(action: MaintenanceAction, { actions, enabledAt }: History, now: Date): Past[] {
  const since = Math.max(
    now.getTime() - WORSE_DAYS * 24 * HOUR_MS,
    Date.parse(enabledAt[action] ?? '') || 0,
  )
  return actions
    .filter(
      (past) => past.action === action && past.outcome === 'worse' && Date.parse(past.at) > since,
    )
    .sort((a, b) => Date.parse(a.at) - Date.parse(b.at))
}

const same =
  (action: MaintenanceAction, object: string) =>
  (other: { readonly action: MaintenanceAction; readonly object: string }): boolean =>
    other.action === action && other.object === object

/** The order of keys is not part of a call. */
const isSameCall = (
  one: Pick<PastRecommendation, 'tool' | 'arguments'>,
  other: Pick<Candidate, 'tool' | 'arguments'>,
): boolean =>
  one.tool === other.tool && canonicalJson(one.arguments) === canonicalJson(other.arguments)

const newest = (past: readonly { readonly at: string }[]): number | null =>
  past.length > 0 ? Math.max(...past.map(({ at }) => Date.parse(at))) : null

const iso = (ms: number): string => new Date(ms).toISOString()
