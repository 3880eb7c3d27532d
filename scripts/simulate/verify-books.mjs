// @ts-check
import { Big } from 'big.js'
import { resultOf } from './ledger.mjs'

/** @typedef {import('./deliver.mjs').Run} Run */
/** @typedef {import('./ledger.mjs').Trade} Trade */

const ZERO = new Big(0)

/** @type {(position: any) => string} */
const laneOf = ({ account_id, symbol }) => `${account_id}|${symbol}`

/** @type {(items: readonly any[], field: string) => Big} */
const sum = (items, field) => items.reduce((total, item) => total.plus(item[field]), ZERO)

/**
 * What is open: one position for each account and symbol, of what the ledger holds, at its cost.
 *
 * @param {Run} run
 */
export async function verifyOpen({ line, checks, ledger }) {
  const open = group(await line.all('positions', 'items', { status: 'open' }), laneOf)
  for (const [lane, book] of ledger.books) {
    const positions = open.get(lane) ?? []
    const example = () => ({ lane, positions, net: book.net })
    checks.that(
      'no two positions are open of one account and symbol',
      positions.length <= 1,
      example,
    )
    const held = positions.map(signed).reduce((total, one) => total.plus(one), ZERO)
    checks.that('an open position is Σ fills', held.eq(book.net), example)
    const trade = book.trades.at(-1)
    const [position] = positions
    if (position && trade)
      checks.that('P&L so far is cash and cost', isAtCost(position, trade), example)
  }
  const strangers = [...open.keys()].filter((lane) => !ledger.books.has(lane))
  checks.that('nothing is open that nobody traded', strangers.length === 0, () => strangers)
}

/** @type {(position: any) => Big} */
const signed = ({ direction, qty_open }) => new Big(qty_open).times(direction === 'long' ? 1 : -1)

/** The average is answered with six decimals, so the cost may be half of one off for each share. */
/** @type {(position: any, trade: Trade) => boolean} */
function isAtCost(position, trade) {
  const cost = signed(position).times(position.avg_entry_price)
  const off = trade.cash.plus(cost).minus(position.realized_pnl).abs()
  return off.lte(new Big(position.qty_open).times('0.0000005').plus('0.000001'))
}

/**
 * The year at its end, when everything is flat: every fill, every position, every cent.
 *
 * @param {Run} run
 */
export async function verifyBooks({ line, checks, ledger }) {
  const positions = await line.all('positions', 'items')
  const fills = await line.all('trades', 'items')
  const ids = new Set(fills.map(({ execution_id }) => execution_id))
  const isComplete = ids.size === fills.length && ids.size === ledger.executions.size
  const counted = () => ({ stored: fills.length, distinct: ids.size, sent: ledger.executions.size })
  checks.that('as many fills are stored as there are executions', isComplete, counted)
  checks.that(
    'every stored fill was sent',
    [...ids].every((id) => ledger.executions.has(id)),
  )
  const lanes = group(positions, laneOf)
  for (const [lane, book] of ledger.books) {
    const own = lanes.get(lane) ?? []
    const example = () => ({ lane, cash: book.cash, fees: book.fees, positions: own })
    checks.that('everything is flat at the end', book.net.eq(0) && own.every(isClosed), example)
    checks.that(
      'P&L is Σ realised, to the last decimal',
      sum(own, 'realized_pnl').eq(book.cash),
      example,
    )
    checks.that('fees are conserved', sum(own, 'fees').eq(book.fees), example)
    checks.that(
      'as many positions as trades from flat to flat',
      own.length === book.trades.length,
      example,
    )
  }
  verifyEach(positions, fills, { checks, ledger })
  return { positions, fills }
}

/** @type {(position: any) => boolean} */
const isClosed = ({ status }) => status === 'closed'

/** @type {(positions: readonly any[], fills: readonly any[], run: Pick<Run, 'checks' | 'ledger'>) => void} */
function verifyEach(positions, fills, { checks, ledger }) {
  const steps = fills.flatMap(({ execution_id, positions: touched }) =>
    touched.map((/** @type {any} */ step) => ({ execution_id, ...step })),
  )
  const byPosition = group(steps, ({ position_id }) => position_id)
  const byOpener = new Map(
    steps
      .filter(({ effect }) => effect === 'open')
      .map((step) => [step.execution_id, step.position_id]),
  )
  const byId = new Map(positions.map((position) => [position.position_id, position]))
  for (const position of positions) {
    const own = byPosition.get(position.position_id) ?? []
    checks.that("a position's fills add up to it", addUp(position, own), () => ({ position, own }))
    const learned = position.learned_at !== null
    const hasReason = position.no_evidence_reason !== null
    const isTold = learned && hasReason === (position.entry_news_id === null)
    checks.that('every closed position has evidence or a reason', isTold, () => position)
  }
  for (const trade of ledger.trades()) {
    const position = byId.get(byOpener.get(trade.openedBy) ?? '')
    checks.that('a position is the trade of the ledger', isTrade(position, trade), () => ({
      position,
      trade,
    }))
  }
}

/** @type {(position: any, steps: readonly any[]) => boolean} */
function addUp(position, steps) {
  const of = (/** @type {string} */ effect) => steps.filter((step) => step.effect === effect)
  const opened = sum(of('open'), 'quantity')
  const closed = sum(of('close'), 'quantity')
  return (
    opened.eq(position.qty_total) &&
    opened.minus(closed).eq(position.qty_open) &&
    sum(steps, 'realized_pnl').eq(position.realized_pnl)
  )
}

/** @type {(position: any, trade: Trade) => boolean} */
function isTrade(position, trade) {
  if (position === undefined || !trade.isClosed) return false
  const { net_return_bps, outcome } = resultOf(trade)
  return (
    position.direction === trade.direction &&
    trade.quantity.eq(position.qty_total) &&
    trade.cash.eq(position.realized_pnl) &&
    trade.fees.eq(position.fees) &&
    position.outcome === outcome &&
    net_return_bps.eq(position.net_return_bps) &&
    position.entry_news_id === (trade.citation?.news_id ?? null)
  )
}

/**
 * @template T
 * @param {readonly T[]} items
 * @param {(item: T) => string} keyOf
 * @returns {Map<string, T[]>}
 */
function group(items, keyOf) {
  /** @type {Map<string, T[]>} */
  const groups = new Map()
  for (const item of items) {
    const own = groups.get(keyOf(item))
    if (own) own.push(item)
    else groups.set(keyOf(item), [item])
  }
  return groups
}
