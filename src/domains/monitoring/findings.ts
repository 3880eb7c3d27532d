import type { Figure, Severity } from '../../lib/check.js'
import { instantText, utcText } from '../../lib/utc-text.js'
import type { ToldFinding } from './ledger.sql.js'
import { type Finding, saidConcern, type Verdicts } from './sampler.js'
import { type Look, statesOf, wellIn } from './verdict.js'

/** A finding as clients read it. */
export interface AnsweredFinding {
  readonly check: string
  readonly severity: Severity
  readonly object: string | null
  readonly title: string
  readonly evidence: Record<string, unknown>
  readonly threshold: Figure
  readonly since: string
  readonly trend: Finding['trend']
  readonly next_step: string
  readonly tool: { readonly name: string; readonly arguments: Record<string, unknown> } | null
}

/** Everything that is known of how things are. */
export interface Known {
  readonly findings: readonly AnsweredFinding[]
  readonly passed: readonly {
    readonly check: string
    readonly value: Figure
    readonly threshold: Figure
  }[]
  readonly unknown: readonly { readonly check: string; readonly reason: string }[]
}

/** Checks of the contract that belong to parts which are not there. */
const BACKUPS = ['backup_overdue', 'backup_failing', 'backup_unverified', 'backup_rpo']
const RANK: Readonly<Record<Severity, number>> = { critical: 0, warning: 1, info: 2 }
/** Longer than a server takes from one sample to the next. */
const FRESH_SECONDS = 60

/**
 * States of this moment, what the samples of this server hold, and what other servers have told that this one
 * cannot see or has not had the time to.
 */
export function joinFindings(
  look: Look,
  verdicts: Verdicts,
  told: readonly ToldFinding[],
  context: { readonly now: Date; readonly servesTool: (name: string) => boolean },
): Known {
  const { now, servesTool } = context
  const states = statesOf(look)
  const live = new Set(states.map(({ check }) => check))
  const began = new Map(verdicts.findings.map((one) => [one.check, one.since]))
  const ofStates = states.map(
    ({ check, severity, title }): AnsweredFinding => ({
      check,
      ...saidConcern(severity, title),
      since: instantText(began.get(check) ?? sinceOf(look, check) ?? now),
      trend: null,
      tool: null,
    }),
  )
  const ofSamples = verdicts.findings
    .filter(({ check }) => !live.has(check))
    .map(
      ({ isOwn: _own, isSeen: _seen, since, tool, ...finding }): AnsweredFinding => ({
        ...finding,
        evidence: { ...finding.evidence },
        since: instantText(toldSince(told, finding) ?? since),
        tool: tool && servesTool(tool.name) ? { ...tool, arguments: { ...tool.arguments } } : null,
      }),
    )
  const here = new Set(verdicts.findings.map(({ check, object }) => `${check} ${object ?? ''}`))
  const isPassed = new Set(verdicts.passed.map(({ check }) => check))
  const ofOthers = told
    .filter(
      ({ check_name, object, unseen_seconds, details }) =>
        unseen_seconds < FRESH_SECONDS &&
        !here.has(`${check_name} ${object}`) &&
        !live.has(check_name) &&
        (details.is_own === true || !isPassed.has(check_name)),
    )
    .map((one) => fromTold(one, servesTool))
  const findings = [...ofStates, ...ofSamples, ...ofOthers].sort(
    (a, b) => RANK[a.severity] - RANK[b.severity],
  )
  const found = new Set(findings.map(({ check }) => check))
  const passed = [...wellIn(look), ...verdicts.passed].filter(({ check }) => !found.has(check))
  const checked = new Set([
    ...found,
    ...passed.map(({ check }) => check),
    ...verdicts.unknown.map(({ check }) => check),
  ])
  const missing = BACKUPS.filter((check) => !checked.has(check)).map((check) => ({
    check,
    reason: 'Backups were not looked at.',
  }))
  const unknown = [...verdicts.unknown.filter(({ check }) => !found.has(check)), ...missing]
  return { findings, passed, unknown }
}

/** How many there are of each severity. */
export const countsOf = (findings: readonly Pick<AnsweredFinding, 'severity'>[]) => {
  const of = (severity: Severity) => findings.filter((one) => one.severity === severity).length
  return { critical: of('critical'), warning: of('warning'), info: of('info') }
}

function sinceOf({ cache }: Look, check: string): Date | null {
  return check === 'redis_down' && cache.since !== null ? new Date(cache.since) : null
}

/** What was told may have begun before this server did. */
function toldSince(
  told: readonly ToldFinding[],
  { check, object }: Pick<Finding, 'check' | 'object'>,
): Date | null {
  const row = told.find((one) => one.check_name === check && one.object === (object ?? ''))
  return row ? new Date(row.since) : null
}

function fromTold(one: ToldFinding, servesTool: (name: string) => boolean): AnsweredFinding {
  const { threshold, next_step, tool } = Object(one.details)
  return {
    check: one.check_name,
    severity: one.severity,
    object: one.object === '' ? null : one.object,
    title: one.title,
    evidence: { ...one.evidence },
    threshold: threshold ?? null,
    since: utcText(one.since),
    trend: null,
    next_step: String(next_step ?? ''),
    tool: tool && servesTool(String(tool.name)) ? tool : null,
  }
}
