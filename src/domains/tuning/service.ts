import { humanBytes } from '../../lib/bytes.js'
import type { Caller } from '../../lib/caller.js'
import type { Endpoint } from '../../platform/postgres/connection.js'
import { maintain, type Operation, type TableResult } from './maintenance.js'

interface TuningDeps {
  readonly direct: Endpoint
}

/** What makes queries faster. */
export class TuningService {
  readonly #deps: TuningDeps

  constructor(deps: TuningDeps) {
    this.#deps = deps
  }

  /** Cleans, rebuilds and measures tables. */
  async optimize(
    tables: readonly string[] | null,
    operations: readonly Operation[],
    caller: Caller,
  ) {
    const started = performance.now()
    const results = await maintain(this.#deps.direct, tables, operations, caller)
    return {
      tables_optimized: doneTables(results).length,
      space_reclaimed: spaceText(results),
      duration_ms: Math.round(performance.now() - started),
      tables: results,
    }
  }

  /** Has the planner's statistics taken anew. */
  async updateStatistics(tables: readonly string[] | null, caller: Caller) {
    const started = performance.now()
    const results = await maintain(this.#deps.direct, tables, ['analyze'], caller)
    return {
      updated: doneTables(results).length,
      duration_ms: Math.round(performance.now() - started),
      tables: results.map(({ name, skipped }) => ({ name, skipped })),
    }
  }
}

const doneTables = (results: readonly TableResult[]): string[] => [
  ...new Set(results.filter(({ skipped }) => skipped === null).map(({ name }) => name)),
]

/** What the operating system got back, and what only new rows can take. */
function spaceText(results: readonly TableResult[]): string {
  const reclaimed = results.reduce((all, { reclaimed_bytes }) => all + reclaimed_bytes, 0)
  const measured = results.flatMap(({ reusable_bytes }) => reusable_bytes ?? [])
  if (measured.length === 0) return humanBytes(reclaimed)
  return `${humanBytes(reclaimed)}, ${humanBytes(measured.reduce((all, bytes) => all + bytes, 0))} reusable`
}
