import type { MaintenanceOutcome } from '../../lib/maintenance-actions.js'
import type { Section, Snapshot } from './snapshot.js'

/** The one figure that an action is meant to change, and by which it is judged. */
export interface Measure {
  readonly figure:
    | 'backup_age_seconds'
    | 'pending'
    | 'dead_rows'
    | 'statistics_age_seconds'
    | 'size_bytes'
    | 'hit_rate'
    | 'waits_on'
  readonly better: 'lower' | 'higher'
  /** Whose figure. */
  readonly of: string
}

/** The figures of one moment. A rate comes with the counts it is made from, so that a later one is of what came between. */
export type Figures = Readonly<Record<string, number>>

/** A change below this share is none. */
const NOTICEABLE = 0.05
/** Fewer reads than these tell no rate. */
const ENOUGH_READS = 100

const WHERE: Readonly<Record<Measure['figure'], readonly Section[]>> = {
  backup_age_seconds: ['backups'],
  pending: ['sync'],
  dead_rows: ['tables'],
  statistics_age_seconds: ['tables'],
  size_bytes: [],
  hit_rate: ['cache'],
  waits_on: ['locks'],
}

/** What must be looked at again to measure it. */
export const sectionsOf = ({ figure }: Measure): readonly Section[] => WHERE[figure]

/** The figure as a picture shows it; null where it does not. */
export function figuresIn(snapshot: Snapshot, { figure, of }: Measure): Figures | null {
  const only = (value: number | null | undefined): Figures | null =>
    value === null || value === undefined || !Number.isFinite(value) ? null : { [figure]: value }
  switch (figure) {
    case 'backup_age_seconds':
      return only(backupAge(snapshot))
    case 'pending':
      return only(pendingOf(snapshot, of))
    case 'dead_rows':
      return only(tableOf(snapshot, of)?.dead_rows)
    case 'statistics_age_seconds':
      return only(ageSeconds(snapshot, tableOf(snapshot, of)?.last_analyze ?? null))
    case 'hit_rate':
      return reads(snapshot)
    case 'waits_on':
      return only(waitersOf(snapshot, of))
    case 'size_bytes':
      return null
  }
}

/** What a tool itself says of the figure, as it was before and after. */
export function toldBy(
  { figure, of }: Measure,
  answer: unknown,
): { readonly before: Figures; readonly after: Figures } | null {
  const tables: unknown = Object(answer).tables
  if (!Array.isArray(tables)) return null
  const one = tables.map(Object).find(({ name, skipped }) => name === of && !skipped)
  const [before, after] = [Object(one?.before)[figure], Object(one?.after)[figure]].map(Number)
  if (!Number.isFinite(before) || !Number.isFinite(after)) return null
  return { before: { [figure]: before ?? 0 }, after: { [figure]: after ?? 0 } }
}

/** Whether it helped; null while that cannot be told. */
export function outcomeOf(
  { figure, better }: Measure,
  before: Figures | null,
  after: Figures | null,
): MaintenanceOutcome | null {
  const [was, is] =
    figure === 'hit_rate' ? rates(before, after) : [before?.[figure], after?.[figure]]
  if (was === undefined || is === undefined) return null
  const gain = better === 'lower' ? was - is : is - was
  if (Math.abs(gain) <= Math.abs(was) * NOTICEABLE) return 'no_effect'
  return gain > 0 ? 'helped' : 'worse'
}

/** The rate before, and that of the reads since: none while these are few, or were counted anew. */
function rates(before: Figures | null, after: Figures | null) {
  const hits = (after?.hits ?? 0) - (before?.hits ?? 0)
  const all = hits + (after?.misses ?? 0) - (before?.misses ?? 0)
  if (hits < 0 || all < ENOUGH_READS) return []
  return [before?.hit_rate, hits / all]
}

function reads({ cache }: Snapshot): Figures | null {
  if (!cache.known) return null
  const types = Object.values(cache.value.redis_info.by_cache_type)
  const hits = types.reduce((sum, type) => sum + type.hits, 0)
  const misses = types.reduce((sum, type) => sum + type.misses, 0)
  return hits + misses === 0 ? null : { hit_rate: hits / (hits + misses), hits, misses }
}

/** Seconds since the newest backup; null when there is none, or none is known. */
export function backupAge(snapshot: Snapshot): number | null {
  if (!snapshot.backups.known) return null
  const { latest_full, latest_incremental } = snapshot.backups.value
  const ages = [latest_full, latest_incremental].flatMap(
    (backup) => ageSeconds(snapshot, backup?.timestamp ?? null) ?? [],
  )
  return ages.length > 0 ? Math.min(...ages) : null
}

/** Seconds from an instant to the moment of the picture. */
export function ageSeconds({ at }: Snapshot, instant: string | null): number | null {
  const age = (Date.parse(at) - Date.parse(instant ?? '')) / 1_000
  return Number.isNaN(age) ? null : Math.max(0, age)
}

/** A table by its name. */
export const tableOf = ({ tables }: Snapshot, name: string) =>
  tables.known ? tables.value.tables.find((table) => table.name === name) : undefined

function pendingOf({ sync }: Snapshot, of: string): number | null {
  if (!sync.known) return null
  const { catalyst_outcomes, source_metrics, pattern_outcomes } = sync.value
  switch (of) {
    case 'sync_catalyst_outcomes':
      return catalyst_outcomes.pending_updates
    case 'sync_source_metrics':
      return source_metrics.pending_calculations
    default:
      return pattern_outcomes.due_outcomes
  }
}

/** How many wait for a backend, directly or not; a backend that is in no tree keeps nobody waiting. */
function waitersOf({ locks }: Snapshot, of: string): number | null {
  if (!locks.known) return null
  const found = withPid(locks.value.trees, Number(of))
  return found ? countBelow(found) : 0
}

/** A node of a tree of locks, which is as deep as waiting is. */
interface Waiter {
  readonly pid?: unknown
  readonly blocks?: unknown
}

const below = ({ blocks }: Waiter): Waiter[] => (Array.isArray(blocks) ? blocks.map(Object) : [])

function withPid(nodes: readonly Waiter[], pid: number): Waiter | null {
  for (const node of nodes) {
    const found = node.pid === pid ? node : withPid(below(node), pid)
    if (found) return found
  }
  return null
}

const countBelow = (node: Waiter): number =>
  below(node).reduce((sum, waiter) => sum + 1 + countBelow(waiter), 0)
