// @ts-check
import { Checks } from './checks.mjs'
import { Deliveries } from './deliver.mjs'
import { Feed } from './feed.mjs'
import { Ledger } from './ledger.mjs'
import { MONTHS, monthOf, plantMarket, TRADING_DAYS } from './market.mjs'
import { Desk } from './orders.mjs'
import { Line } from './port.mjs'
import { Random } from './random.mjs'
import { verifyBooks, verifyOpen } from './verify-books.mjs'
import { verifyRepeated, verifySources } from './verify-learning.mjs'

/**
 * @typedef {object} SourceResult
 * @property {string} name
 * @property {number} tier
 * @property {number} planted
 * @property {number} reliability
 * @property {number} ci_low
 * @property {number} ci_high
 * @property {number} n_eff
 * @property {boolean} isInside whether the interval holds what was planted
 */

/**
 * @typedef {object} Result of a simulated year
 * @property {SourceResult[]} sources
 * @property {import('./checks.mjs').Check[]} checks
 * @property {Record<string, number>} counts
 * @property {Record<string, number>} seconds where the time went
 * @property {Record<string, import('./port.mjs').Usage>} calls
 */

/** Of the 90 % intervals at least so many hold what was planted; the prior pulls extremes inwards. */
const LEAST_INSIDE = 0.75

/**
 * Simulates a year through the product's tools and checks what must hold.
 *
 * @param {import('./port.mjs').Port} port
 * @param {import('./market.mjs').Size & { hasSignals: boolean }} options
 * @param {(line: string) => void} [tell] hears of the progress
 * @returns {Promise<Result>}
 */
export async function simulateYear(port, options, tell = () => {}) {
  const market = plantMarket(options)
  const feed = new Feed(market, new Random(options.seed ^ 0x0f33d), options.articles)
  const desk = new Desk(market, new Random(options.seed ^ 0x0de5c), options)
  const line = new Line(port)
  const run = { line, checks: new Checks(), ledger: new Ledger(), hasSignals: options.hasSignals }
  const deliveries = new Deliveries(run)
  const seconds = { news: 0, fills: 0, syncs: 0, checks: 0 }
  const started = performance.now()
  for (let month = 0; month < MONTHS; month++) {
    const { articles, orders } = plan(month, feed, desk)
    seconds.news += await timed(() => deliveries.news(articles))
    seconds.fills += await timed(() => deliveries.orders(orders))
    seconds.syncs += await timed(() => sync(line))
    seconds.checks += await timed(() => verifyOpen(run))
    const elapsed = Math.round((performance.now() - started) / 1_000)
    tell(`month ${month + 1}: ${articles.length} articles, ${orders.length} orders; ${elapsed} s`)
  }
  const checking = performance.now()
  const { positions, fills } = await verifyBooks(run)
  const told = await line.all('news/sources', 'sources')
  verifySources(run, told, feed.planted)
  await verifyRepeated(run, told)
  const sources = market.sources.map((source) => compare(source, told))
  const inside = sources.filter(({ isInside }) => isInside).length
  const share = inside / sources.length
  run.checks.that('planted reliabilities are recovered', share >= LEAST_INSIDE, () => ({ inside }))
  seconds.checks += (performance.now() - checking) / 1_000
  return {
    sources,
    checks: run.checks.list(),
    counts: {
      articles: options.articles,
      ...deliveries.counts,
      ...countsOf(positions, fills),
      sources_inside: inside,
      retried_calls: line.retried,
    },
    seconds: { ...seconds, all: (performance.now() - started) / 1_000 },
    calls: Object.fromEntries(line.usage),
  }
}

/** @type {(month: number, feed: Feed, desk: Desk) => { articles: import('./feed.mjs').Article[], orders: import('./orders.mjs').Order[] }} */
function plan(month, feed, desk) {
  const articles = []
  const orders = []
  for (let day = 0; day < TRADING_DAYS; day++) {
    if (monthOf(day) !== month) continue
    const told = feed.day(day)
    articles.push(...told.articles)
    orders.push(...desk.day(day, told.tellings))
  }
  return { articles: articles.sort((a, b) => a.arrives_ms - b.arrives_ms), orders }
}

/** @type {(positions: readonly any[], fills: readonly any[]) => Record<string, number>} */
const countsOf = (positions, fills) => ({
  fills: fills.length,
  late_fills: fills.filter(({ is_late }) => is_late).length,
  positions: positions.length,
  reversals: positions.filter(({ exit_reason }) => exit_reason === 'reversed').length,
  without_story: positions.filter(({ entry_news_id }) => entry_news_id === null).length,
  scratches: positions.filter(({ outcome }) => outcome === 'scratch').length,
})

/** @type {(line: Line) => Promise<void>} */
async function sync(line) {
  await line.job('sync_catalyst_outcomes', { batch_size: 1_000 })
  await line.job('sync_source_metrics')
}

/** @type {(work: () => Promise<void>) => Promise<number>} */
async function timed(work) {
  const started = performance.now()
  await work()
  return (performance.now() - started) / 1_000
}

/** @type {(source: import('./market.mjs').Source, told: readonly any[]) => SourceResult} */
function compare({ name, tier, planted }, told) {
  const one = told.find(({ source_name }) => source_name === name)
  const {
    reliability = Number.NaN,
    ci_low = Number.NaN,
    ci_high = Number.NaN,
    n_eff = 0,
  } = one ?? {}
  const isInside = ci_low <= planted && planted <= ci_high
  return { name, tier, planted, reliability, ci_low, ci_high, n_eff, isInside }
}
