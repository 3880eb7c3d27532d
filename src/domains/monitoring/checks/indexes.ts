import { humanBytes } from '../../../lib/bytes.js'
import type { Concern, Judgement, MeasuredCheck } from '../../../lib/check.js'
import type { Catalog } from '../catalog.sql.js'
import type { Indexes } from '../relations.sql.js'
import { judged, type Thresholds, type View } from '../view.js'
import { bloat } from './tables.js'

const MB = 1024 * 1024

/** What indexes cost without bringing anything, and where one is missing. */
export const indexChecks = (view: View, limits: Thresholds): MeasuredCheck[] => [
  { name: 'invalid_index', measure: () => judged(view.catalog, invalidIndex) },
  { name: 'duplicate_index', measure: () => judged(view.indexes, duplicateIndex) },
  { name: 'unused_index', measure: () => judged(view.indexes, (it) => unusedIndex(it, limits)) },
  { name: 'missing_fk_index', measure: () => judged(view.indexes, missingForeignKeyIndex) },
  {
    name: 'index_bloat',
    measure: () =>
      judged(view.indexes, (it) => bloat('index', it.index_bloat, limits.index_bloat_pct)),
  },
]

function invalidIndex({ invalid }: Catalog): Judgement {
  const concerns = invalid.map(
    ({ index, table, size_bytes, is_unique, create_sql }): Concern => ({
      severity: 'warning',
      object: index,
      title: `The index ${index} of ${table} is invalid: a concurrent build of it failed, it is written and never read.`,
      evidence: { table, size_bytes, is_unique, create_sql },
      threshold: 1,
      next_step: is_unique
        ? `Remove duplicate rows first, then reindex index concurrently ${index}, or drop index concurrently ${index}.`
        : `Rebuild it with reindex index concurrently ${index}, or drop index concurrently ${index}.`,
      tool: { name: 'optimize_tables', arguments: { tables: [table], operations: ['reindex'] } },
    }),
  )
  return { value: invalid.length, threshold: 1, concerns }
}

function duplicateIndex({ duplicates }: Indexes): Judgement {
  const concerns = duplicates.map(
    ({ index, table, same_as, size_bytes, scans, drop_sql }): Concern => ({
      severity: 'info',
      object: index,
      title: `The index ${index} (${humanBytes(size_bytes)}) says the same as ${same_as}; every write of ${table} pays for both.`,
      evidence: { table, same_as, size_bytes, scans },
      threshold: 1,
      next_step: `It may go: ${drop_sql}, by a migration.`,
      tool: {
        name: 'create_migration',
        arguments: { name: 'drop_duplicate_index', up_sql: drop_sql },
      },
    }),
  )
  return { value: duplicates.length, threshold: 1, concerns }
}

/** Only when it was counted for long enough: a report that runs once a month may be its only reader. */
function unusedIndex({ unused, counted_days }: Indexes, limits: Thresholds): Judgement {
  if (counted_days < limits.unused_index_days) {
    const days = Math.floor(counted_days)
    return {
      unknown: `Use of indexes has been counted for ${days} days, and ${limits.unused_index_days} are needed to call one unused.`,
    }
  }
  const large = unused.filter(({ size_bytes }) => size_bytes >= limits.unused_index_mb * MB)
  const concerns = large.map(
    ({ index, table, size_bytes, scans, drop_sql }): Concern => ({
      severity: 'info',
      object: index,
      title: `Nothing has read the index ${index} (${humanBytes(size_bytes)}) of ${table} for ${Math.floor(counted_days)} days.`,
      evidence: { table, size_bytes, scans, counted_days: Math.floor(counted_days) },
      threshold: limits.unused_index_mb,
      next_step: `Look at every replica too before it goes: ${drop_sql}, by a migration.`,
      tool: {
        name: 'create_migration',
        arguments: { name: 'drop_unused_index', up_sql: drop_sql },
      },
    }),
  )
  return { value: large.length, threshold: 1, concerns }
}

function missingForeignKeyIndex({ missing_fk }: Indexes): Judgement {
  const concerns = missing_fk.map(
    ({ constraint, table, columns, references, table_rows, create_sql }): Concern => ({
      severity: 'info',
      object: table,
      title: `${table} has no index on ${columns.join(', ')}, which references ${references}: a delete or key change there reads all of its ${Math.round(table_rows)} rows.`,
      evidence: { constraint, columns, references, table_rows },
      threshold: 10_000,
      next_step: `If rows of ${references} are deleted or their keys change: ${create_sql}.`,
      tool: {
        name: 'create_migration',
        arguments: { name: 'index_foreign_key', up_sql: create_sql },
      },
    }),
  )
  return { value: missing_fk.length, threshold: 1, concerns }
}
