// @ts-check
import { articleOf } from './feed.mjs'
import { inLanes } from './port.mjs'

/** @typedef {import('./feed.mjs').Telling} Telling */
/** @typedef {import('./orders.mjs').Order} Order */
/** @typedef {import('./broker.mjs').Delivery} Delivery */

/**
 * @typedef {object} Run what a simulation works with
 * @property {import('./port.mjs').Line} line
 * @property {import('./checks.mjs').Checks} checks
 * @property {import('./ledger.mjs').Ledger} ledger
 * @property {boolean} hasSignals whether the product takes signals
 */

const BATCH = 5_000
const LANES_AT_ONCE = 16

/** What trading services send: stories in batches, and fills as brokers deliver them. */
export class Deliveries {
  counts = { new_articles: 0, duplicates: 0, deliveries: 0, signals: 0 }
  #run
  /** @type {Map<Telling, string>} */
  #newsIds = new Map()
  /** @type {Map<string, string>} */
  #tradeIds = new Map()

  /** @param {Run} run */
  constructor(run) {
    this.#run = run
  }

  /** @param {readonly import('./feed.mjs').Article[]} articles in the order in which they arrive */
  async news(articles) {
    const { line, checks } = this.#run
    for (let from = 0; from < articles.length; from += BATCH) {
      const batch = articles.slice(from, from + BATCH).map(({ content }) => content)
      const answer = await line.tool('persist_news_batch', { articles: batch, deduplicate: true })
      const { total_processed, new_articles, duplicates } = answer
      const adds = total_processed === batch.length && new_articles + duplicates === batch.length
      checks.that('a batch answers for each of its articles', adds, () => answer.errors.slice(0, 3))
      this.counts.new_articles += new_articles
      this.counts.duplicates += duplicates
    }
  }

  /** @param {readonly Order[]} orders in the order of their times */
  async orders(orders) {
    /** @type {Map<string, Order[]>} */
    const lanes = new Map()
    for (const order of orders) lanes.set(order.lane, [...(lanes.get(order.lane) ?? []), order])
    await inLanes(lanes.values(), LANES_AT_ONCE, async (lane) => {
      for (const order of lane) await this.#order(order)
    })
  }

  /** @type {(order: Order) => Promise<void>} */
  async #order(order) {
    const cited = order.telling ? await this.#newsId(order.telling) : null
    const signal_id = order.further.length > 0 ? await this.#signal(order, cited) : undefined
    for (const delivery of order.deliveries) await this.#deliver(order.lane, delivery, signal_id)
  }

  /** A client that acts on a story persists it; it is known from a batch, so its id is answered. */
  async #newsId(/** @type {Telling} */ telling) {
    const known = this.#newsIds.get(telling)
    if (known !== undefined) return known
    const { line, checks } = this.#run
    const answer = await line.tool('persist_news_catalyst', articleOf(telling))
    checks.that('a story of a batch is known as a single one', answer.duplicate)
    this.#newsIds.set(telling, answer.news_id)
    return answer.news_id
  }

  /** @type {(order: Order, cited: string | null) => Promise<string | undefined>} */
  async #signal({ side, telling, further, deliveries }, cited) {
    if (!this.#run.hasSignals || !telling || cited === null) return undefined
    const news_ids = [cited]
    for (const one of further) news_ids.push(await this.#newsId(one))
    const { signal_id } = await this.#run.line.tool('persist_trading_signal', {
      symbol: telling.security.symbol,
      signal_type: side === 'buy' ? 'BUY' : 'SELL',
      confidence: 0.8,
      catalyst_context: { news_ids, catalyst_type: telling.keyword, catalyst_score: 50 },
      technical_context: { patterns: [], indicators: {} },
      account_id: deliveries[0]?.fill.account_id,
    })
    this.counts.signals++
    return signal_id
  }

  /** @type {(lane: string, delivery: Delivery, signal_id: string | undefined) => Promise<void>} */
  async #deliver(lane, { fill, telling, times, again }, signal_id) {
    const { line, ledger } = this.#run
    const entry_news_id = telling ? await this.#newsId(telling) : null
    const call = {
      ...fill,
      catalyst_tracking: { entry_catalyst: telling?.keyword ?? null, entry_news_id },
      ...(signal_id === undefined ? {} : { signal_id }),
    }
    const before = line.retried
    const answers = await Promise.all(
      Array.from({ length: times }, () => line.tool('persist_trade_execution', call)),
    )
    this.counts.deliveries += times
    const citation =
      telling && entry_news_id ? { news_id: entry_news_id, source: telling.source.name } : null
    const expected = again ? null : ledger.apply(lane, fill, citation)
    const isCertain = line.retried === before
    this.#check({ fill, answers, expected, isCertain })
  }

  /**
   * @param {object} told
   * @param {import('./partials.mjs').Fill} told.fill
   * @param {any[]} told.answers
   * @param {{ held: import('big.js').Big, isLate: boolean } | null} told.expected null for a repeat
   * @param {boolean} told.isCertain false when a call was sent again, whose first answer was lost
   */
  #check({ fill, answers, expected, isCertain }) {
    const { checks } = this.#run
    const { execution_id } = fill
    const applied = answers.filter(({ position_updated }) => position_updated)
    const repeated = answers.filter(({ duplicate }) => duplicate)
    const wanted = expected === null ? 0 : 1
    const isOnce = applied.length === wanted && repeated.length === answers.length - wanted
    checks.that(
      'a fill counts once, however often it is delivered',
      isOnce || !isCertain,
      () => fill,
    )
    for (const answer of answers) {
      const trade_id = this.#tradeIds.get(execution_id) ?? answer.trade_id
      this.#tradeIds.set(execution_id, trade_id)
      checks.that(
        'a repeated delivery answers the stored fill',
        answer.trade_id === trade_id,
        () => answer,
      )
    }
    const [answer] = applied
    if (expected === null || !answer) return
    const { qty_open, direction } = answer.position
    const held = direction === 'long' ? expected.held : expected.held.times(-1)
    checks.that('what a fill leaves open is what the ledger holds', held.eq(qty_open), () => answer)
    checks.that('late fills are told as late', answer.is_late === expected.isLate, () => answer)
  }
}
