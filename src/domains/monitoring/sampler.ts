import type { Check, Figure, Judgement, NextCall, Severity } from '../../lib/check.js'
import type { Clock } from '../../lib/clock.js'
import { type Held, Hysteresis, type Judged, keyOf } from './hysteresis.js'
import { type Trend, Trends } from './trend.js'

/** What is asked in each sample. */
export interface SamplerDeps {
  /** Looks anew before anybody is asked. */
  readonly look: () => Promise<void>
  readonly checks: () => readonly Check[]
  readonly isUp: () => boolean
  readonly clock: Clock
  /** Hears why a check could not be made. */
  readonly failed: (error: unknown) => void
}

/** One thing that is not well, as it is told. */
export interface Finding {
  readonly check: string
  readonly severity: Severity
  readonly object: string | null
  readonly title: string
  readonly evidence: Readonly<Record<string, unknown>>
  readonly threshold: Figure
  readonly since: Date
  readonly trend: Trend | null
  readonly next_step: string
  readonly tool: NextCall | null
  readonly isOwn: boolean
  readonly isSeen: boolean
}

/** What the newest sample came to. */
export interface Verdicts {
  readonly findings: readonly Finding[]
  readonly passed: readonly {
    readonly check: string
    readonly value: Figure
    readonly threshold: Figure
  }[]
  readonly unknown: readonly { readonly check: string; readonly reason: string }[]
  /** Null before the first sample. */
  readonly at: Date | null
}

const RANK: Readonly<Record<Severity, number>> = { critical: 0, warning: 1, info: 2 }
const NO_ANSWER = 'PostgreSQL does not answer.'
const NOT_SURE = 'It was beyond its threshold, and is told when that lasts.'
const FAILED = 'This check could not be made; the log of this server says why.'

/** Asks every check in turn, sample by sample, and says what has lasted. */
export class Sampler {
  readonly #deps: SamplerDeps
  readonly #hysteresis = new Hysteresis()
  readonly #trends = new Trends()
  #judged: readonly Judged[] = []
  #at: Date | null = null
  #running: Promise<void> | null = null

  constructor(deps: SamplerDeps) {
    this.#deps = deps
  }

  /** Takes one sample; who comes while one is taken waits for that. */
  sample(): Promise<void> {
    this.#running ??= this.#sample().finally(() => {
      this.#running = null
    })
    return this.#running
  }

  /** What is known of every check now, the worst first. */
  get verdicts(): Verdicts {
    const held = this.#hysteresis.held
    const isHeld = new Set(held.map(({ check }) => check))
    const unknown = this.#judged.flatMap(({ check, judgement }) => {
      if ('unknown' in judgement) return [{ check, reason: judgement.unknown }]
      return judgement.concerns.length > 0 && !isHeld.has(check)
        ? [{ check, reason: NOT_SURE }]
        : []
    })
    const isUnknown = new Set(unknown.map(({ check }) => check))
    const passed = this.#judged.flatMap(({ check, judgement }) =>
      'unknown' in judgement || isHeld.has(check) || isUnknown.has(check)
        ? []
        : [{ check, value: judgement.value, threshold: judgement.threshold }],
    )
    const findings = held
      .filter(({ check }) => !isUnknown.has(check))
      .map((one) => this.#finding(one))
    return { findings: findings.sort(byRank), passed, unknown, at: this.#at }
  }

  async #sample(): Promise<void> {
    await this.#deps.look()
    const judged: Judged[] = []
    for (const check of this.#deps.checks()) {
      const judgement = await this.#judge(check)
      const isMeasured = 'measure' in check
      judged.push({
        check: check.name,
        judgement,
        isSettled: isMeasured && check.isSettled === true,
        isOwn: isMeasured && check.isOwn === true,
      })
    }
    const ms = performance.now()
    this.#at = this.#deps.clock.now()
    this.#hysteresis.feed(judged, this.#at, ms)
    for (const { check, judgement } of judged) {
      if (!('unknown' in judgement)) this.#trends.feed(check, judgement.approaches ?? [], ms)
    }
    this.#trends.sweep()
    this.#judged = judged
  }

  async #judge(check: Check): Promise<Judgement> {
    try {
      if ('measure' in check) return await check.measure()
      if (check.needsDatabase && !this.#deps.isUp()) return { unknown: NO_ANSWER }
      const said = check.look()
      return {
        value: said === null,
        threshold: true,
        concerns: said === null ? [] : [saidConcern(check.severity, said)],
      }
    } catch (error) {
      this.#deps.failed(error)
      return { unknown: FAILED }
    }
  }

  #finding({ check, concern, since, isOwn, isSeen }: Held): Finding {
    const approach = this.#approachOf(check, concern.object)
    return {
      check,
      severity: concern.severity,
      object: concern.object,
      title: concern.title,
      evidence: concern.evidence,
      threshold: concern.threshold,
      since,
      trend: approach && this.#trends.of(check, approach),
      next_step: concern.next_step,
      tool: concern.tool ?? null,
      isOwn,
      isSeen,
    }
  }

  #approachOf(check: string, object: string | null) {
    const judgement = this.#judged.find((one) => one.check === check)?.judgement
    if (!judgement || 'unknown' in judgement) return null
    const { approaches = [] } = judgement
    const key = keyOf(check, object)
    return approaches.find((one) => keyOf(check, one.object) === key) ?? null
  }
}

/** What a part says in words, which name what to do as well. */
export const saidConcern = (severity: Severity, title: string) => ({
  severity,
  object: null,
  title,
  evidence: {},
  threshold: true,
  next_step:
    'What is wrong says what to do; catalyst-db doctor looks at everything the server needs.',
})

/** The worst first; of the same severity what blocks others before what only may. */
const byRank = (a: Finding, b: Finding): number =>
  RANK[a.severity] - RANK[b.severity] ||
  order(a.check) - order(b.check) ||
  a.since.getTime() - b.since.getTime()

/** Causes before what follows from them. */
const CAUSES_FIRST = [
  'blocking',
  'prepared_transaction',
  'idle_in_transaction',
  'replication_slot_inactive',
  'replication_slot_wal',
  'xmin_horizon',
  'xid_wraparound',
  'sequence_exhaustion',
  'invalid_index',
  'stale_statistics',
  'query_regression',
  'connections_used',
]
const order = (check: string): number => {
  const at = CAUSES_FIRST.indexOf(check)
  return at < 0 ? CAUSES_FIRST.length : at
}
