import { humanBytes } from '../../lib/bytes.js'
import { type PageKey, pageOf } from '../../lib/page.js'
import type { DedicatedConnection } from '../../platform/postgres/dedicated.js'
import { measuredBloat, type TableFacts, tables } from './relations.sql.js'
import { exact } from './series.js'

interface TablesDeps {
  readonly connection: Pick<DedicatedConnection, 'many' | 'one'>
  /** Schema of pgstattuple; null where it is not installed. */
  readonly tupleSchema: () => string | null
}

/** Tables up to this size are measured: pages that hold no dead rows are not even read. */
const MEASURED_BYTES = 64 * 1024 * 1024
/** All of one answer together. */
const MEASURING_MS = 500
const DAY_MS = 86_400_000
/** A growth of less is noise. */
const GROWTH_AFTER_MS = 10 * 60_000

/** Tables with their size and use. Remembers sizes, to say how they grow. */
export class Tables {
  readonly #deps: TablesDeps
  readonly #first = new Map<number, { readonly at: number; readonly bytes: number }>()

  constructor(deps: TablesDeps) {
    this.#deps = deps
  }

  /** One page, the largest first. */
  async page(limit: number, cursor: PageKey | undefined) {
    const [size, oid] = cursor ?? []
    const after = size !== undefined && oid !== undefined ? { size, oid } : null
    const rows = await this.#deps.connection.many(tables(limit + 1, after))
    const { items, next_cursor } = pageOf(rows, limit, (row) => [
      String(row.size_bytes),
      String(row.oid),
    ])
    const until = performance.now() + MEASURING_MS
    const listed = []
    for (const row of items) listed.push(await this.#table(row, until))
    return { tables: listed, next_cursor }
  }

  /** Remembers the sizes of the largest tables. */
  async look(): Promise<void> {
    for (const row of await this.#deps.connection.many(tables(200, null))) this.#growth(row)
  }

  async #table(row: TableFacts, until: number) {
    return {
      name: row.name,
      size: humanBytes(row.size_bytes),
      size_bytes: row.size_bytes,
      rows: row.rows,
      index_hit_rate: row.index_hit_rate && exact(row.index_hit_rate),
      cache_hit_rate: row.cache_hit_rate && exact(row.cache_hit_rate),
      dead_rows: row.dead_rows,
      bloat: await this.#bloat(row, until),
      last_vacuum: row.last_vacuum,
      last_analyze: row.last_analyze,
      sequential_scans: row.sequential_scans,
      growth_bytes_per_day: this.#growth(row),
    }
  }

  async #bloat({ oid, heap_bytes, bloat_bytes }: TableFacts, until: number) {
    const schema = this.#deps.tupleSchema()
    if (schema !== null && heap_bytes <= MEASURED_BYTES && performance.now() < until) {
      // A table that is locked, or a role without the right: then it is estimated.
      const measured = await this.#deps.connection.one(measuredBloat(schema, oid)).catch(() => null)
      if (measured) {
        return {
          bytes: measured.bloat_bytes,
          share: exact(measured.share),
          method: 'measured' as const,
        }
      }
    }
    if (bloat_bytes === null) return null
    const share = heap_bytes === 0 ? 0 : exact(Math.min(1, bloat_bytes / heap_bytes))
    return { bytes: bloat_bytes, share, method: 'estimated' as const }
  }

  #growth({ oid, size_bytes: bytes }: TableFacts): number | null {
    const at = performance.now()
    const first = this.#first.get(oid)
    if (!first) this.#first.set(oid, { at, bytes })
    if (!first || at - first.at < GROWTH_AFTER_MS) return null
    return Math.round(((bytes - first.bytes) / (at - first.at)) * DAY_MS)
  }
}
