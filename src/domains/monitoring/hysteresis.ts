import type { Concern, Judgement } from '../../lib/check.js'

/** What one check came to in one sample. */
export interface Judged {
  readonly check: string
  readonly judgement: Judgement
  /** Whoever measured it has waited for several samples already. */
  readonly isSettled: boolean
  /** Only this server can see it. */
  readonly isOwn: boolean
}

/** A concern that has lasted long enough to be told. */
export interface Held {
  readonly check: string
  readonly concern: Concern
  readonly isOwn: boolean
  /** By this server's clock. */
  readonly since: Date
  /** It was seen in the newest sample; else it waits for the samples that end it. */
  readonly isSeen: boolean
}

interface State {
  readonly check: string
  concern: Concern
  isOwn: boolean
  since: Date
  /** By a clock that nobody sets. */
  sinceMs: number
  ups: number
  downs: number
  isHeld: boolean
  isSeen: boolean
}

/** Samples in a row: one may fall into a moment that says nothing. */
const SAMPLES_ON = 2
const SAMPLES_OFF = 3

/**
 * Tells what is wrong from what only was for a moment: two samples in a row raise it, three in a row end it, and
 * a check that knows nothing for now changes nothing.
 */
export class Hysteresis {
  readonly #states = new Map<string, State>()
  readonly #measurements = new Map<string, number>()

  /** Takes one sample; `nowMs` is of a clock that only goes on. */
  feed(judged: readonly Judged[], now: Date, nowMs: number): void {
    for (const one of judged) this.#feed(one, now, nowMs)
  }

  /** What is held now, in no order. */
  get held(): Held[] {
    return [...this.#states.values()].filter(({ isHeld }) => isHeld)
  }

  #feed({ check, judgement, isSettled, isOwn }: Judged, now: Date, nowMs: number): void {
    if ('unknown' in judgement) return
    const { measurement } = judgement
    if (measurement !== undefined && this.#measurements.get(check) === measurement) return
    if (measurement !== undefined) this.#measurements.set(check, measurement)
    const seen = new Set<string>()
    for (const concern of judgement.concerns) {
      const key = keyOf(check, concern.object)
      seen.add(key)
      const state = this.#states.get(key) ?? newState(check, concern, now, nowMs)
      this.#states.set(key, state)
      Object.assign(state, { concern, isOwn, ups: state.ups + 1, downs: 0, isSeen: true })
      const hasLasted = nowMs - state.sinceMs >= (concern.afterMs ?? 0)
      if ((state.ups >= SAMPLES_ON || isSettled) && hasLasted) state.isHeld = true
    }
    for (const [key, state] of this.#states) {
      if (state.check !== check || seen.has(key)) continue
      state.isSeen = false
      state.ups = 0
      state.downs++
      if (!state.isHeld || isSettled || state.downs >= SAMPLES_OFF) this.#states.delete(key)
    }
  }
}

/** One name for a check's view of one object. */
export const keyOf = (check: string, object: string | null): string => `${check}\n${object ?? ''}`

const newState = (check: string, concern: Concern, since: Date, sinceMs: number): State => ({
  check,
  concern,
  isOwn: false,
  since,
  sinceMs,
  ups: 0,
  downs: 0,
  isHeld: false,
  isSeen: true,
})
