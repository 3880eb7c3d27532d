import type { FactsRow, TableRow } from './catalog.sql.js'

const NAMED = 10

/** What a backup of this kind does not hold, one sentence each. */
export function issuesOf(facts: FactsRow, tables: readonly TableRow[], inLog: boolean): string[] {
  const unlogged = tables.filter(({ is_unlogged }) => is_unlogged)
  const blind = tables.filter(({ is_unlogged, has_identity }) => !is_unlogged && !has_identity)
  const found: (string | false)[] = [
    facts.large_objects > 0 &&
      `${facts.large_objects} large objects are not in the backup: store such values in columns of type bytea.`,
    facts.foreign_tables > 0 &&
      `The rows of ${facts.foreign_tables} foreign tables are not in the backup: they are another server's.`,
    facts.prepared_transactions > 0 &&
      `${facts.prepared_transactions} prepared transactions are not in the backup until they are committed.`,
    unlogged.length > 0 &&
      inLog &&
      `Unlogged tables are as they were in the full backup, whatever moment is restored: ${named(unlogged)}.`,
    blind.length > 0 &&
      inLog &&
      `Changes of tables without a primary key or replica identity are not in the log, so they are as they were in the full backup: ${named(blind)}.`,
    !inLog &&
      'The log of changes is not available here (wal_level logical and the REPLICATION attribute are needed), so only the moment of a full backup can be restored: run "catalyst-db doctor".',
  ]
  return found.filter((one) => one !== false)
}

/** A list of thousands helps nobody. */
function named(tables: readonly TableRow[]): string {
  const names = tables.slice(0, NAMED).map(({ schema, name }) => `${schema}.${name}`)
  const others = tables.length - names.length
  return `${names.join(', ')}${others > 0 ? ` and ${others} more` : ''}`
}
