import type { Approach } from '../../lib/check.js'
import { keyOf } from './hysteresis.js'

/** Where a figure goes. */
export interface Trend {
  readonly per_hour: number
  /** Null when it does not get there. */
  readonly eta_seconds: number | null
  readonly text: string
}

interface Point {
  readonly ms: number
  readonly value: number
}

/** The newest points as they come, and older ones a minute apart. */
const RECENT = 30
const MINUTES = 360
const MINUTE_MS = 60_000
const MIN_POINTS = 4
/** A figure that takes longer to its end than this is not on its way there. */
const FAR_SECONDS = 365 * 86_400

/** Follows figures that end somewhere, to say when. */
export class Trends {
  readonly #tracks = new Map<string, { recent: Point[]; minutes: Point[]; touched: number }>()
  #round = 0

  /** Takes the figures of one sample; what is no longer seen is forgotten. */
  feed(check: string, approaches: readonly Approach[], ms: number): void {
    for (const { object, value } of approaches) {
      const key = keyOf(check, object)
      const track = this.#tracks.get(key) ?? { recent: [], minutes: [], touched: 0 }
      this.#tracks.set(key, track)
      track.touched = this.#round
      // What was emptied begins anew: a vacuum, a restart, a slot that moved on.
      const last = track.recent.at(-1)
      if (last && value < last.value * 0.9) Object.assign(track, { recent: [], minutes: [] })
      track.recent.push({ ms, value })
      if (track.recent.length > RECENT) track.recent.shift()
      const minute = track.minutes.at(-1)
      if (!minute || ms - minute.ms >= MINUTE_MS) track.minutes.push({ ms, value })
      if (track.minutes.length > MINUTES) track.minutes.shift()
    }
  }

  /** Ends a sample. */
  sweep(): void {
    for (const [key, { touched }] of this.#tracks) {
      if (this.#round - touched > RECENT) this.#tracks.delete(key)
    }
    this.#round++
  }

  /** Where this figure goes; null while that cannot be said, and where it stands still. */
  of(check: string, { object, value, limit, what }: Approach): Trend | null {
    const track = this.#tracks.get(keyOf(check, object))
    if (!track) return null
    const points = track.minutes.length > 10 ? track.minutes : track.recent
    if (points.length < MIN_POINTS) return null
    const perMs = slope(points)
    if (perMs <= 0) return null
    const seconds = (limit - value) / perMs / 1_000
    if (seconds <= 0 || seconds > FAR_SECONDS) return null
    const eta_seconds = Math.round(seconds)
    const per_hour = significant(perMs * 3_600_000)
    return { per_hour, eta_seconds, text: `${what} full in ${inWords(eta_seconds)}` }
  }
}

/** Least squares. */
function slope(points: readonly Point[]): number {
  const meanMs = points.reduce((sum, { ms }) => sum + ms, 0) / points.length
  const mean = points.reduce((sum, { value }) => sum + value, 0) / points.length
  const over = points.reduce((sum, { ms, value }) => sum + (ms - meanMs) * (value - mean), 0)
  const under = points.reduce((sum, { ms }) => sum + (ms - meanMs) ** 2, 0)
  return under === 0 ? 0 : over / under
}

const significant = (value: number): number => Number(value.toPrecision(4))

/** A duration as people say it: the largest unit that leaves two or more. */
export function inWords(seconds: number): string {
  const units = [
    [86_400, 'days'],
    [3_600, 'hours'],
    [60, 'min'],
  ] as const
  for (const [length, name] of units) {
    if (seconds >= 2 * length) return `${Math.round(seconds / length)} ${name}`
  }
  return `${Math.round(seconds)} s`
}
