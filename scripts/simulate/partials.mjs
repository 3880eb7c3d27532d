// @ts-check
import { Big } from 'big.js'

/**
 * @typedef {object} Fill as it is sent, but for what it cites
 * @property {string} execution_id
 * @property {string} account_id
 * @property {string} symbol
 * @property {'buy' | 'sell'} side
 * @property {string} quantity
 * @property {string} fees
 * @property {{ order_type: 'market' | 'limit', fill_price: string, fill_time: string }} execution_details
 */

/**
 * @typedef {object} Plan of an order
 * @property {string} account_id
 * @property {string} symbol
 * @property {'buy' | 'sell'} side
 * @property {number} at_ms
 * @property {number} tick in millionths
 * @property {number} quantity in millionths
 * @property {number} price
 * @property {number} partials
 */

/** Quantities, prices and fees are whole numbers of millionths until they become text. */
export const MICROS = 1_000_000

const PRICE_JITTER_BPS = 2
const MOST_FEE_BPS = 1.5
const REBATED = 0.03
const BASIS_POINTS = 10_000

/**
 * The fills of one order, in the order of their times.
 *
 * @param {import('./random.mjs').Random} random
 * @param {Plan} plan
 * @param {() => string} nextId
 * @returns {Fill[]}
 */
export function fillsOf(random, plan, nextId) {
  const order_type = random.pick(/** @type {const} */ (['market', 'limit']))
  let at = plan.at_ms
  return parts(random, plan.quantity, plan.partials).map((quantity) => {
    const jitter = random.between(-PRICE_JITTER_BPS, PRICE_JITTER_BPS) / BASIS_POINTS
    const price = Math.round((plan.price * (1 + jitter) * MICROS) / plan.tick) * plan.tick
    const notional = (quantity / MICROS) * price
    const fee = Math.round((notional * random.between(0, MOST_FEE_BPS)) / BASIS_POINTS)
    const fill_time = new Date(at).toISOString()
    at += random.integer(1_000, 60_000)
    return {
      execution_id: nextId(),
      account_id: plan.account_id,
      symbol: plan.symbol,
      side: plan.side,
      quantity: text(quantity),
      fees: text(random.chance(REBATED) ? -fee : fee),
      execution_details: { order_type, fill_price: text(price), fill_time },
    }
  })
}

/**
 * Parts of whole shares, the last one with what is left.
 *
 * @type {(random: import('./random.mjs').Random, quantity: number, count: number) => number[]}
 */
function parts(random, quantity, count) {
  const shares = Math.floor(quantity / MICROS / count)
  const all = Array.from({ length: count - 1 }, () => random.integer(1, shares) * MICROS)
  return [...all, quantity - all.reduce((sum, part) => sum + part, 0)]
}

/** @type {(micros: number) => string} */
const text = (micros) => new Big(micros).div(MICROS).toFixed()
