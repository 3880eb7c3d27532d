import type { TableRow } from './catalog.sql.js'

/** A table, or so many of its pages that one object of it can be handled. */
export interface Part {
  readonly table: TableRow
  /** From 0. */
  readonly number: number
  readonly pages: { readonly from: number; readonly to: number | null } | null
  /** About what it weighs. */
  readonly bytes: number
}

const PART_BYTES = 1024 ** 3
/** What an empty table costs all the same. */
const LEAST_BYTES = 16 * 1024

/** The parts of all tables, the biggest first. */
export function partsOf(tables: readonly TableRow[]): Part[] {
  return tables.flatMap((table): Part[] => {
    const count = Math.max(1, Math.min(Math.ceil(table.bytes / PART_BYTES), table.pages))
    const bytes = Math.max(table.bytes / count, LEAST_BYTES)
    if (count === 1) return [{ table, number: 0, pages: null, bytes }]
    const each = Math.ceil(table.pages / count)
    return Array.from({ length: count }, (_, number) => ({
      table,
      number,
      // What is appended meanwhile is not in the snapshot; what was there when pages were counted is.
      pages: { from: number * each, to: number === count - 1 ? null : (number + 1) * each },
      bytes,
    }))
  })
}
