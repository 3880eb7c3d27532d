import type { Queryable } from '../../platform/postgres/queryable.js'
import type { Beside } from './news-names.js'
import { createMonths, missingMonths } from './partitions.sql.js'

/** Every partition takes a few locks until its transaction ends, and PostgreSQL has room for thousands. */
const MONTHS_AT_ONCE = 12

/**
 * Makes the partitions that these instants need and nobody has made yet, in short transactions beside
 * the reader's own: attaching one locks `securities`, which must not last as long as a session.
 */
export async function ensureMonths(
  beside: Beside,
  reader: Queryable,
  instants: readonly string[],
): Promise<number> {
  const months = [...new Set(instants.map((instant) => instant.slice(0, 7)))]
  const missing = (await reader.many(missingMonths(months))).map(({ month }) => month)
  let created = 0
  while (missing.length > 0) {
    const some = missing.splice(0, MONTHS_AT_ONCE)
    created += (await beside.transaction((tx) => tx.one(createMonths(some)))).created
  }
  return created
}
