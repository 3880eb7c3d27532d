import { AppError } from '../../errors.js'
import { ref } from '../../lib/refs.js'
import type { Queryable, Transaction } from '../../platform/postgres/queryable.js'
import type { Policy } from '../../policy.js'
import { paramsVersion, type Reliability, reliabilityOf } from './reliability.js'
import type { Run } from './run.js'
import * as statements from './source-metrics.sql.js'
import { takeTurn } from './sql.js'

/** Which sources are to be computed. */
export interface MetricsQuery {
  /** Names or aliases; null for all. */
  readonly sources: readonly string[] | null
  /** Not from what is new alone: from all the evidence there is. */
  readonly recalculate_all: boolean
}

/** How what is thought of a source has changed. */
type AccuracyChange = {
  /** The accuracy rates; null where there was or is no result. */
  readonly from: number | null
  readonly to: number | null
  readonly n_eff: number
  readonly reliability: { readonly from: number; readonly to: number }
}

const BATCH = 200
const RATIO_DECIMALS = 8

/** What the results of positions say about the sources whose stories they cite. */
export class SourceMetrics {
  readonly #learning: Policy['learning']

  constructor(learning: Policy['learning']) {
    this.#learning = learning
  }

  /** Computes the sources about which something is new, or all of them from the evidence. */
  async sync({ sources, recalculate_all }: MetricsQuery, run: Run) {
    const ids = sources && (await run.inTransaction((tx) => idsOf(tx, sources)))
    const params_version = paramsVersion(this.#learning)
    const selection = { ids, all: recalculate_all, params_version }
    const changes = new Map<string, AccuracyChange>()
    let after = 0
    for (let done = 0; ; ) {
      const { computed, changed } = await run.inTransaction((tx) =>
        this.#batch(tx, selection, after),
      )
      for (const { name, change } of changed) changes.set(name, change)
      done += computed.length
      run.progress(done, done, 'sources computed')
      const last = computed.at(-1)
      if (last === undefined || computed.length < BATCH) break
      after = last
    }
    return { sources_updated: changes.size, accuracy_changes: Object.fromEntries(changes) }
  }

  async #batch(tx: Transaction, selection: statements.SourceSelection, after: number) {
    await tx.run(takeTurn('source_metrics'))
    const next = await tx.many(statements.nextSources(selection, after, BATCH))
    const computed = next.map(({ source_id }) => source_id)
    if (computed.length === 0) return { computed, changed: [] }
    const folded = await tx.many(statements.foldSources(computed, selection.all))
    const unknown = await reliabilityOf(0, 0, this.#learning)
    const figures = await Promise.all(
      folded.map(async (row) => ({ row, now: await this.#reliability(row) })),
    )
    const rows = figures.map(({ row, now }) => computedRow(row.source_id, now))
    await tx.run(statements.storeFigures(rows, selection.params_version))
    const changed = figures.flatMap(({ row, now }) => {
      const change = changeOf(row, now, unknown)
      return change ? [{ name: row.source_name, change }] : []
    })
    tx.mention(changed.map(({ name }) => ref('source', name)))
    return { computed, changed }
  }

  #reliability({ w_win, w_loss }: statements.FoldedRow): Promise<Reliability> {
    return reliabilityOf(w_win, w_loss, this.#learning)
  }
}

/**
 * The sources of these names.
 *
 * @throws AppError `not_found` for a name that no source has
 */
export async function idsOf(db: Queryable, names: readonly string[]): Promise<number[]> {
  const found = await db.many(statements.findSources(names))
  return found.map(({ source_id }, index) => {
    if (source_id !== null) return source_id
    throw new AppError('not_found', `sources[${index}]: there is no such source`, {
      hint: 'Read catalyst://news/sources for their names; aliases are accepted too.',
    })
  })
}

const computedRow = (source_id: number, now: Reliability): statements.ComputedRow => ({
  source_id,
  accuracy_rate: now.accuracy_rate === null ? null : ratioOf(now.accuracy_rate),
  reliability: ratioOf(now.reliability),
  ci_low: ratioOf(now.interval.low),
  ci_high: ratioOf(now.interval.high),
})

/** Null when nothing that was known of the source is another thing now. */
function changeOf(
  row: statements.FoldedRow,
  now: Reliability,
  unknown: Reliability,
): AccuracyChange | null {
  const from = row.reliability_before ?? ratioOf(unknown.reliability)
  const to = ratioOf(now.reliability)
  const hasSameWeights = row.w_win === row.w_win_before && row.w_loss === row.w_loss_before
  if (hasSameWeights && from === to) return null
  const n_before = row.w_win_before + row.w_loss_before
  return {
    from: n_before === 0 ? null : ratioOf(row.w_win_before / n_before),
    to: now.accuracy_rate === null ? null : ratioOf(now.accuracy_rate),
    n_eff: now.n_eff,
    reliability: { from, to },
  }
}

/** As many decimals as the columns have. */
export const ratioOf = (value: number): number => Number(value.toFixed(RATIO_DECIMALS))
