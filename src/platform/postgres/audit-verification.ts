import { findBreak, ORIGIN } from './audit-chain.js'
import * as statements from './audit-trail.sql.js'
import type { Queryable } from './queryable.js'

/** One month of the chain, as far as it is kept. */
interface VerifiedMonth {
  readonly month: string
  /** `sealed` when it is over, `dropped` when only its head is kept. */
  readonly state: 'open' | 'sealed' | 'dropped'
  /** Those that were checked. */
  readonly entries: number
  /** Its last. */
  readonly head: statements.ChainLink
}

/** What checking the chain found. */
export interface ChainVerdict {
  readonly intact: boolean
  /** Those that were checked. */
  readonly entries: number
  /** The first entry that was changed, removed or inserted; null when intact. */
  readonly broken_at: number | null
  /** The end of the chain: note it elsewhere, and nobody can rewrite what lies before it. */
  readonly head: statements.ChainLink
  readonly months: readonly VerifiedMonth[]
}

const BATCH = 1_000

/**
 * Recomputes the chain, month by month. Of a month that was dropped its head is checked: where it
 * begins, and that the month after it follows.
 */
export async function verifyChain(database: Queryable): Promise<ChainVerdict> {
  const { seals, head } = await database.one(statements.readMonths())
  const months: VerifiedMonth[] = []
  let previous = ORIGIN
  let broken_at: number | null = null
  for (const month of [...seals, { ...head, dropped_at: null }]) {
    const isOpen = month.month === head.month
    const checked = await verifyMonth(database, month, previous, isOpen)
    const state = checked.isDropped ? 'dropped' : isOpen ? 'open' : 'sealed'
    const { entries, end } = checked
    months.push({ month: month.month.slice(0, 7), state, entries, head: end })
    previous = end
    broken_at = checked.broken_at
    if (broken_at !== null) break
  }
  broken_at ??= await findStray(database, [...seals, head])
  return {
    intact: broken_at === null,
    entries: months.reduce((sum, { entries }) => sum + entries, 0),
    broken_at,
    head: previous,
    months,
  }
}

interface CheckedMonth {
  readonly entries: number
  readonly broken_at: number | null
  readonly end: statements.ChainLink
  readonly isDropped: boolean
}

async function verifyMonth(
  database: Queryable,
  month: statements.SealedMonth,
  previous: statements.ChainLink,
  isOpen: boolean,
): Promise<CheckedMonth> {
  const sealed = { audit_id: month.audit_id, hash: month.hash }
  const isFollowing =
    month.first_id === previous.audit_id + 1 && month.previous_hash === previous.hash
  if (!isFollowing) {
    return { entries: 0, broken_at: previous.audit_id + 1, end: previous, isDropped: false }
  }
  if (month.dropped_at !== null) {
    return { entries: 0, broken_at: null, end: sealed, isDropped: true }
  }
  const walked = await walk(database, month, previous, isOpen)
  if (walked.broken_at === null || isOpen) return walked
  // It may have been dropped while it was read.
  const { seals } = await database.one(statements.readMonths())
  const isDropped = seals.some((seal) => seal.month === month.month && seal.dropped_at !== null)
  return isDropped ? { entries: 0, broken_at: null, end: sealed, isDropped } : walked
}

async function walk(
  database: Queryable,
  month: statements.ChainMonth,
  previous: statements.ChainLink,
  isOpen: boolean,
): Promise<CheckedMonth> {
  let end = previous
  const result = (broken_at: number | null) => {
    return { entries: end.audit_id - previous.audit_id, broken_at, end, isDropped: false }
  }
  for (;;) {
    const page = statements.entriesAfter(month.month, end.audit_id, BATCH)
    const entries = await database.many(page)
    const found = findBreak(entries, end)
    if (found !== null) return result(found)
    // The last entry, and with it all before it, may have been written anew: the head says how it was.
    const last = entries.find(({ audit_id }) => audit_id === month.audit_id)
    if (last && last.hash !== month.hash) return result(month.audit_id)
    const { audit_id, hash } = entries.at(-1) ?? end
    end = { audit_id, hash }
    if (entries.length < BATCH) break
  }
  if (end.audit_id < month.audit_id) return result(end.audit_id + 1)
  // Entries may have been appended since the head was read, but not to a month that was over.
  return result(isOpen || end.audit_id === month.audit_id ? null : month.audit_id + 1)
}

async function findStray(
  database: Queryable,
  months: readonly statements.ChainMonth[],
): Promise<number | null> {
  const stray = statements.findStray(months.map(({ month }) => month))
  return (await database.maybeOne(stray))?.audit_id ?? null
}
