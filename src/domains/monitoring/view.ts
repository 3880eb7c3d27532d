import type { Judgement } from '../../lib/check.js'
import type { Policy } from '../../policy.js'
import type { Catalog } from './catalog.sql.js'
import type { LockTree } from './lock-trees.js'
import type { Pulse } from './pulse.sql.js'
import type { Indexes } from './relations.sql.js'
import type { StatementDeltas, Use } from './statement-deltas.js'

/** Thresholds of monitoring. */
export type Thresholds = Policy['monitoring']

/** What the counters of PostgreSQL have come to in a while. */
export interface Window {
  readonly seconds: number
  readonly commits: number
  readonly rollbacks: number
  readonly blocks_hit: number
  readonly blocks_read: number
  readonly temp_files: number
  readonly temp_bytes: number
  readonly deadlocks: number
  readonly checkpoints_requested: number
  readonly wal_bytes: number
}

/** Something that was looked at, or why it is not known. */
export type Known<T> = { readonly value: T; readonly at: number } | { readonly reason: string }

/** The newest that is known of PostgreSQL. */
export interface View {
  readonly pulse: Known<Pulse>
  readonly catalog: Known<Catalog>
  readonly indexes: Known<Indexes>
  readonly statements: Known<StatementDeltas>
  readonly locks: Known<readonly LockTree[]>
  /** Texts by the keys of statements, of those that were asked for. */
  readonly texts: ReadonlyMap<string, { readonly query: string | null; readonly is_own: boolean }>
  /** What was counted in the last so many seconds; null before the second sample, and after a reset. */
  window(seconds: number): Window | null
}

/** Judges what is known; what is not stays unknown with its reason. */
export function judged<T>(known: Known<T>, judge: (value: T) => Judgement): Judgement {
  if ('reason' in known) return { unknown: known.reason }
  const judgement = judge(known.value)
  return 'unknown' in judgement ? judgement : { ...judgement, measurement: known.at }
}

/** Which of two thresholds a figure has reached; null when neither. */
export function severityOf(
  value: number,
  [warning, critical]: readonly [number, number],
): 'critical' | 'warning' | null {
  if (value >= critical) return 'critical'
  return value >= warning ? 'warning' : null
}

/** Which of two a figure has fallen below; null when neither. */
export function lowSeverityOf(
  value: number,
  [warning, critical]: readonly [number, number],
): 'critical' | 'warning' | null {
  if (value < critical) return 'critical'
  return value < warning ? 'warning' : null
}

/** Statements of a while without the server's own. */
export const othersOf = ({ texts }: Pick<View, 'texts'>, use: Use) =>
  use.statements.filter(({ key }) => texts.get(key)?.is_own !== true)

/** A share as a ratio with four decimals. */
export const ratio = (value: number): number => Math.round(value * 10_000) / 10_000

/** A figure with one decimal. */
export const tenth = (value: number): number => Math.round(value * 10) / 10

/** A share in words. */
export const percentText = (share: number): string => `${tenth(share * 100)} %`

/** Names that others chose are data: in a sentence they stand only when they cannot be one. */
export const isPlain = (name: string): boolean => /^[\w.:@/#-]{1,63}$/.test(name)
