// @ts-check
import { Big } from 'big.js'

/** @typedef {import('./partials.mjs').Fill} Fill */

/** @typedef {{ readonly news_id: string, readonly source: string }} Citation */

/**
 * @typedef {object} Trade from flat to flat
 * @property {string} lane
 * @property {'long' | 'short'} direction
 * @property {string} openedBy the execution that opened it
 * @property {string[]} executions
 * @property {Big} quantity all that was opened
 * @property {Big} notional what that was filled for
 * @property {Big} cash Σ sells - Σ buys
 * @property {Big} fees
 * @property {Citation | null} citation
 * @property {boolean} isClosed
 */

/**
 * @typedef {object} Book of an account and symbol
 * @property {Big} net above 0 for long
 * @property {Big} cash Σ sells - Σ buys
 * @property {Big} fees
 * @property {string} last_fill_time
 * @property {Trade[]} trades the open one last
 */

const ZERO = new Big(0)
const MONEY_DECIMALS = 6
const HALF_UP = 1

/**
 * The simulator's own bookkeeping, which shares no code with the product: signed quantities and cash.
 * Between flat and flat the cash is the profit, whatever cost a partial exit was given meanwhile.
 */
export class Ledger {
  /** @type {Map<string, Book>} */
  books = new Map()
  /** @type {Set<string>} */
  executions = new Set()

  /**
   * Applies a fill to its lane, in the order of delivery.
   *
   * @param {string} lane
   * @param {Fill} fill
   * @param {Citation | null} citation
   * @returns {{ held: Big, isLate: boolean }}
   */
  apply(lane, fill, citation) {
    const book = this.#bookOf(lane)
    const { fill_price, fill_time } = fill.execution_details
    const quantity = new Big(fill.quantity)
    const side = fill.side === 'buy' ? 1 : -1
    const [price, fees] = [new Big(fill_price), new Big(fill.fees)]
    this.executions.add(fill.execution_id)
    const isLate = fill_time < book.last_fill_time
    if (!isLate) book.last_fill_time = fill_time
    const held = book.net.abs()
    const closes = book.net.times(side).lt(0)
    const closed = closes ? (quantity.lt(held) ? quantity : held) : ZERO
    const closedFees = share(fees, closed, quantity)
    const part = { id: fill.execution_id, side, price }
    if (closed.gt(0)) close(book, { ...part, quantity: closed, fees: closedFees })
    const opened = quantity.minus(closed)
    const rest = { ...part, quantity: opened, fees: fees.minus(closedFees) }
    if (opened.gt(0)) open(book, { ...rest, lane, citation })
    book.net = book.net.plus(quantity.times(side))
    book.cash = book.cash.minus(quantity.times(price).times(side))
    book.fees = book.fees.plus(fees)
    return { held: book.net, isLate }
  }

  /** @returns {Trade[]} */
  trades() {
    return [...this.books.values()].flatMap(({ trades }) => trades)
  }

  /** @type {(lane: string) => Book} */
  #bookOf(lane) {
    const known = this.books.get(lane)
    if (known) return known
    const book = { net: ZERO, cash: ZERO, fees: ZERO, last_fill_time: '', trades: [] }
    this.books.set(lane, book)
    return book
  }
}

/**
 * How a closed trade ended, by the thresholds of the default policy, and its net return.
 *
 * @param {Trade} trade
 */
export function resultOf({ cash, fees, notional }) {
  const net_return_bps = cash.minus(fees).times(10_000).div(notional).round(4, HALF_UP)
  const outcome = net_return_bps.gte(25) ? 'win' : net_return_bps.lte(-25) ? 'loss' : 'scratch'
  return { net_return_bps, outcome }
}

/** @typedef {{ id: string, side: number, price: Big, quantity: Big, fees: Big }} Part of a fill */

/** Divided last: a ratio that was rounded first would tip what lies exactly between two cents. */
/** @type {(fees: Big, part: Big, whole: Big) => Big} */
const share = (fees, part, whole) => fees.times(part).div(whole).round(MONEY_DECIMALS, HALF_UP)

/** @type {(book: Book, part: Part) => void} */
function close(book, part) {
  const trade = book.trades.at(-1)
  if (!trade) throw new Error('nothing is open')
  add(trade, part)
  trade.isClosed = part.quantity.eq(book.net.abs())
}

/** @type {(book: Book, part: Part & { lane: string, citation: Citation | null }) => void} */
function open(book, { lane, citation, ...part }) {
  let trade = book.trades.at(-1)
  if (!trade || trade.isClosed) {
    trade = {
      lane,
      direction: part.side > 0 ? 'long' : 'short',
      openedBy: part.id,
      executions: [],
      quantity: ZERO,
      notional: ZERO,
      cash: ZERO,
      fees: ZERO,
      citation,
      isClosed: false,
    }
    book.trades.push(trade)
  }
  trade.quantity = trade.quantity.plus(part.quantity)
  trade.notional = trade.notional.plus(part.quantity.times(part.price))
  trade.citation ??= citation
  add(trade, part)
}

/** @type {(trade: Trade, part: Part) => void} */
function add(trade, { id, side, price, quantity, fees }) {
  trade.executions.push(id)
  trade.cash = trade.cash.minus(quantity.times(price).times(side))
  trade.fees = trade.fees.plus(fees)
}
