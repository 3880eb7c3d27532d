// @ts-check
import { fillsOf } from './partials.mjs'

/** @typedef {import('./partials.mjs').Fill} Fill */
/** @typedef {import('./feed.mjs').Telling} Telling */
/** @typedef {import('./orders.mjs').Order} Order */

/**
 * @typedef {object} Delivery of a fill
 * @property {Fill} fill
 * @property {Telling | null} telling what the order cites
 * @property {1 | 2} times 2: twice at once
 * @property {boolean} again whether it was delivered before
 */

/** What is bought or sold next in a lane comes later. */
const FILLED_WITHIN_MS = 3 * 60_000

const DELIVERED_TWICE = 0.05
const OUT_OF_ORDER = 0.25

/** Fills orders, and delivers the fills as brokers do: in parts, some late, some twice. */
export class Broker {
  #random
  #executions = 0

  /** @param {import('./random.mjs').Random} random */
  constructor(random) {
    this.#random = random
  }

  /**
   * Fills an order at about a price.
   *
   * @param {Order} order
   * @param {import('./orders.mjs').Lane} lane
   * @param {{ quantity: number, price: number, partials: number }} plan
   */
  fill(order, lane, plan) {
    const { at_ms, side, telling } = order
    const place = { account_id: lane.account, symbol: lane.symbol, tick: lane.tick, side, at_ms }
    const nextId = () => `x-${++this.#executions}`
    const fills = fillsOf(this.#random, { ...place, ...plan }, nextId)
    lane.last_ms = at_ms + FILLED_WITHIN_MS
    /** @type {Delivery[]} */
    const again = []
    const inOrder = this.#random.chance(OUT_OF_ORDER) ? this.#random.shuffled(fills) : fills
    for (const fill of inOrder) {
      const twice = this.#random.chance(DELIVERED_TWICE)
      const atOnce = twice && this.#random.chance(0.5)
      order.deliveries.push({ fill, telling, times: atOnce ? 2 : 1, again: false })
      if (twice && !atOnce) again.push({ fill, telling, times: 1, again: true })
    }
    order.deliveries.push(...again)
  }
}

/**
 * Takes one fill out of an order, to be delivered later.
 *
 * @param {Order} order
 * @returns {Delivery | null}
 */
export function holdBack(order) {
  const held = order.deliveries.findLast(({ again }) => !again) ?? null
  order.deliveries = order.deliveries.filter(({ fill }) => fill !== held?.fill)
  return held
}
