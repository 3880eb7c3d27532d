import { aside } from '../catalog-only.js'
import type { DirectSession } from '../direct.js'
import type { Catalog } from './catalog-diff.js'
import { type Loss, lossOf } from './loss.js'
import { restoreSequence, type SequenceValue, sequenceValues } from './snapshot.sql.js'

/** So many values ahead no script goes by drawing one for each row. */
const LEAP = 1_000_000n

/** Sequences that were there before and are not where their users expect them. */
export function setBack(
  before: readonly SequenceValue[],
  after: readonly SequenceValue[],
  catalog: Catalog,
  now: Catalog,
): Loss[] {
  return moved(before, after)
    .filter(({ oid }) => isSameStorage(oid, catalog, now))
    .map(({ name, from, to }) => lossOf(`moved from ${from} to ${to}`, `sequence ${name}`))
}

const isSameStorage = (oid: string, catalog: Catalog, now: Catalog): boolean =>
  catalog.get(`relation:${oid}`)?.state === now.get(`relation:${oid}`)?.state

/** Sequences that went back, or ahead by more than a script that uses them. */
function moved(
  before: readonly SequenceValue[],
  after: readonly SequenceValue[],
): { oid: string; name: string; from: string | null; to: string | null }[] {
  const values = new Map(after.map((sequence) => [sequence.oid, sequence.last_value]))
  return before.flatMap(({ oid, name, last_value: from, increment_by }) => {
    if (!values.has(oid)) return []
    const to = values.get(oid) ?? null
    const step = BigInt(increment_by)
    const start = from === null ? null : BigInt(from)
    const end = to === null ? null : BigInt(to)
    if (start === null && end === null) return []
    const isBack = start !== null && (end === null || (end - start) * step < 0n)
    const ahead = end === null ? 0n : (end - (start ?? 0n)) / step
    return isBack || ahead > LEAP ? [{ oid, name, from, to }] : []
  })
}

/** How far every sequence is, outside of the transaction of a script. */
export const sequencesOf = (session: DirectSession): Promise<SequenceValue[]> =>
  aside(session, () => session.many(sequenceValues()))

/**
 * Puts sequences back that a script has moved although it was rolled back: they belong to no transaction.
 * Values that others drew meanwhile lie ahead of where they are put.
 */
export async function restoreSequences(
  session: DirectSession,
  before: readonly SequenceValue[],
): Promise<void> {
  const after = await sequencesOf(session)
  const wrong = moved(before, after)
  if (wrong.length === 0) return
  await aside(session, async () => {
    for (const { name, from } of wrong) await session.many(restoreSequence(name, from))
  })
}
