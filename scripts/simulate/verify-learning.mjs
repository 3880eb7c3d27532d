// @ts-check
import { resultOf } from './ledger.mjs'

/** @typedef {import('./deliver.mjs').Run} Run */
/** @typedef {import('./ledger.mjs').Trade} Trade */

/** Figures of sources are JSON numbers, of weights with twelve decimals. */
const TOLERANCE = 1e-6

/**
 * What was learned of the sources: exactly the results of the ledger and the stories that were planted.
 *
 * @param {Run} run
 * @param {readonly any[]} sources as the resource tells them
 * @param {ReadonlyMap<string, import('./feed.mjs').Planted>} planted
 */
export function verifySources({ checks, ledger }, sources, planted) {
  const results = resultsBySource(ledger.trades())
  let decided = 0
  for (const [name, { articles, duplicates, confirmed }] of planted) {
    const source = sources.find(({ source_name }) => source_name === name)
    const { wins = 0, losses = 0 } = results.get(name) ?? {}
    decided += wins + losses
    const example = () => ({ source, wins, losses, planted: planted.get(name) })
    const totals = source?.totals ?? {}
    const isExact = near(totals.w_win, wins) && near(totals.w_loss, losses)
    checks.that('a source answers for the results that cite it', isExact, example)
    checks.that('the stories of a source are counted', totals.articles === articles, example)
    checks.that('the repeats of a source are counted', totals.duplicates === duplicates, example)
    checks.that('the confirmed stories are counted', totals.confirmed === confirmed, example)
  }
  const weights = sources.reduce((all, { totals }) => all + totals.w_win + totals.w_loss, 0)
  checks.that('evidence is neither made nor lost', near(weights, decided), () => ({
    weights,
    decided,
  }))
}

/** @type {(a: number, b: number) => boolean} */
const near = (a, b) => Math.abs(a - b) <= TOLERANCE

/** @type {(trades: readonly Trade[]) => Map<string, { wins: number, losses: number }>} */
function resultsBySource(trades) {
  const results = new Map()
  for (const trade of trades) {
    if (!trade.citation) continue
    const { outcome } = resultOf(trade)
    const so = results.get(trade.citation.source) ?? { wins: 0, losses: 0 }
    if (outcome === 'win') so.wins++
    if (outcome === 'loss') so.losses++
    results.set(trade.citation.source, so)
  }
  return results
}

/**
 * Running the syncs again, and computing everything anew, changes nothing.
 *
 * @param {Run} run
 * @param {readonly any[]} sources
 */
export async function verifyRepeated({ line, checks }, sources) {
  const outcomes = await line.job('sync_catalyst_outcomes')
  const isIdle = Object.values(outcomes).every((count) => count === 0)
  checks.that('a second sync of outcomes changes nothing', isIdle, () => outcomes)
  for (const args of [{}, { recalculate_all: true }]) {
    const { sources_updated } = await line.job('sync_source_metrics', args)
    const again = await line.all('news/sources', 'sources')
    const isSame = sources_updated === 0 && withoutTime(again) === withoutTime(sources)
    checks.that('computing the sources again changes nothing', isSame, () => ({
      args,
      sources_updated,
    }))
  }
  const status = await line.resource('db/sync/status')
  const waiting =
    status.catalyst_outcomes.pending_updates + status.source_metrics.pending_calculations
  checks.that('nothing waits for a sync', waiting === 0, () => status)
}

/** @type {(sources: readonly any[]) => string} */
const withoutTime = (sources) => JSON.stringify(sources.map(({ as_of: _, ...source }) => source))
