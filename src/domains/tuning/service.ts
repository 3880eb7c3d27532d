import { AppError } from '../../errors.js'
import { humanBytes } from '../../lib/bytes.js'
import type { Caller } from '../../lib/caller.js'
import type { QueryService } from '../explore/query.service.js'
import { type Analysis, analyse } from './analysis.js'
import { maintain, type Operation, type TableResult } from './maintenance.js'
import { type TrialDeps, tryOut } from './trial.js'

interface TuningDeps extends TrialDeps {
  readonly queries: QueryService
}

/** A statement to look at. */
interface Question {
  readonly sql: string
  readonly params: readonly unknown[]
  /** Run it, to compare what happens with what was expected. */
  readonly isRun: boolean
  /** A restored database on which its advice is tried. */
  readonly tryOn: string | null
}

const alreadyExplained = (): AppError =>
  new AppError('invalid_input', 'query: the statement itself is wanted, without EXPLAIN.', {
    hint: 'Leave EXPLAIN out; with analyze true it is run and measured.',
  })

/** What makes queries faster. */
export class TuningService {
  readonly #deps: TuningDeps

  constructor(deps: TuningDeps) {
    this.#deps = deps
  }

  /**
   * Says what a statement costs, why, and what would help. It is run only where that is asked for and it
   * was proven to read only, or on a restored database where its advice is tried.
   *
   * @throws Refusal, AppError
   */
  async analyze({ sql, params, isRun, tryOn }: Question, caller: Caller): Promise<Analysis> {
    if (/^\s*explain\b/i.test(sql)) throw alreadyExplained()
    const asked = { sql, params, restoreId: tryOn, mayLackParams: true }
    const { queries } = this.#deps
    const analysis = await queries.judged(asked, caller, (judged) =>
      analyse(judged, isRun, queries, caller),
    )
    if (tryOn === null) return analysis
    return tryOut(analysis, { ...asked, restoreId: tryOn }, this.#deps, caller)
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
