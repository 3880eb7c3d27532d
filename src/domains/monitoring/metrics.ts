import { instantText } from '../../lib/utc-text.js'
import type { History } from './history.js'
import { exact, type Sampled, SERIES, type SeriesName, USUAL } from './series.js'

/** What is asked for. */
export interface MetricsQuery {
  /** In milliseconds. */
  readonly windowMs: number
  readonly timeframe: string
  readonly series?: readonly SeriesName[] | undefined
}

/** Without names a model gets an overview, with names everything there is. */
const OVERVIEW_POINTS = 12
const MOST_POINTS = 300
/** Samples a little late are none that are missing. */
const GAP = 2.5

/** Figures over time, of equal steps; what is missing is a gap and null, never zero. */
export async function metricsOf(
  history: Pick<History, 'since'>,
  { windowMs, timeframe, series }: MetricsQuery,
  options: {
    readonly now: number
    readonly sampleMs: number
    readonly unavailable: (name: SeriesName) => string
  },
) {
  const { now, sampleMs } = options
  const names = series ?? USUAL
  const from = now - windowMs
  const samples = await history.since(from, now)
  const finest = Math.max(sampleMs, 1_000, ...samples.map(({ spanMs }) => spanMs))
  const stepMs = Math.ceil(windowMs / (series ? MOST_POINTS : OVERVIEW_POINTS) / finest) * finest
  const steps = Math.ceil(windowMs / stepMs)
  const buckets = Array.from({ length: steps }, (): Sampled[] => [])
  for (const one of samples)
    buckets[Math.min(steps - 1, Math.floor((one.at - from) / stepMs))]?.push(one)
  const entries = names.map((name) => {
    const points = buckets.map((bucket, at): [string, number | null] => {
      const values = bucket.flatMap(({ figures }) => figures[name] ?? [])
      return [
        instantText(Math.round((from + at * stepMs) / 1_000) * 1_000),
        values.length === 0 ? null : exact(mean(values)),
      ]
    })
    return [name, { unit: SERIES[name].unit, points }] as const
  })
  const known = (name: SeriesName) => samples.flatMap(({ figures }) => figures[name] ?? [])
  const isKnown = (name: SeriesName) => samples.some(({ figures }) => figures[name] != null)
  return {
    timeframe,
    from: instantText(from),
    to: instantText(now),
    step_seconds: stepMs / 1_000,
    series: Object.fromEntries(entries),
    summary: Object.fromEntries(names.map((name) => [name, summaryOf(known(name))])),
    gaps: gapsOf(samples, from, now),
    unavailable: Object.fromEntries(
      names.filter((name) => !isKnown(name)).map((name) => [name, options.unavailable(name)]),
    ),
  }
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length

function summaryOf(values: readonly number[]) {
  if (values.length === 0) return { min: null, avg: null, max: null, last: null }
  const [least, most] = values.reduce(
    ([low, high], value) => [Math.min(low, value), Math.max(high, value)],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  )
  return {
    min: exact(least),
    avg: exact(mean(values)),
    max: exact(most),
    last: exact(values.at(-1) ?? 0),
  }
}

/** Stretches of which nothing is known. */
function gapsOf(samples: readonly Sampled[], from: number, to: number): [string, string][] {
  const gaps: [string, string][] = []
  let known = from
  for (const { at, spanMs } of samples) {
    if (at - known > spanMs * GAP) gaps.push([instantText(known), instantText(at)])
    known = Math.max(known, at + (spanMs >= 60_000 ? spanMs : 0))
  }
  const span = samples.at(-1)?.spanMs ?? 0
  if (to - known > Math.max(span, 1_000) * GAP) gaps.push([instantText(known), instantText(to)])
  return gaps
}
