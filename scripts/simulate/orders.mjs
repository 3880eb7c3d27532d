// @ts-check

import { Broker, holdBack } from './broker.mjs'
import { TRADING_DAYS } from './market.mjs'
import { MICROS } from './partials.mjs'

/** @typedef {import('./feed.mjs').Telling} Telling */
/** @typedef {import('./broker.mjs').Delivery} Delivery */

/**
 * @typedef {object} Order
 * @property {string} lane account and symbol: what happens in one happens in order
 * @property {number} at_ms
 * @property {'buy' | 'sell'} side
 * @property {Telling | null} telling
 * @property {readonly Telling[]} further stories of the same source that were as right
 * @property {Delivery[]} deliveries
 */

/**
 * @typedef {object} Open a position as it is planned
 * @property {'buy' | 'sell'} side the side on which it was opened
 * @property {number} quantity in millionths
 * @property {number} exitPrice
 * @property {number} exitDay
 * @property {number} exitPartials
 * @property {Delivery | null} heldBack a partial of the entry that the exit crosses
 */

/**
 * @typedef {object} Lane
 * @property {string} name
 * @property {string} account
 * @property {string} symbol
 * @property {number} tick of its prices, in millionths
 * @property {number} price where its next position begins; every lane has a path of its own
 * @property {number} last_ms
 * @property {Open | null} open
 */

const MINUTE_MS = 60_000
/** Within the regular session in summer and in winter, in minutes after midnight UTC. */
const FROM = 14 * 60 + 35
const LAST_STORY = 19 * 60
const LAST_ENTRY = 19 * 60 + 20
const TO = 19 * 60 + 55
/** An order is filled within three minutes; the next one of its lane comes later. */
const APART_MS = 5 * MINUTE_MS
const HOLDING_DAYS = [0, 0, 0, 1, 1, 2, 3, 5, 10]

const WITHOUT_STORY = 0.05
const SCRATCHED = 0.04
const REVERSED = 0.3
const CROSSED = 0.005
const SEVERAL_STORIES = 0.2
const MOST_FURTHER = 2
const CENT = MICROS / 100
/** In basis points: far enough from the thresholds that fees, ticks and partials do not reach them. */
const MOVE = { least: 60, most: 400, scratch: 8 }
const PRICE = { least: 40, most: 900 }

/** Trades on stories: each is acted upon once, and the result follows from whether it is right. */
export class Desk {
  #market
  #random
  #fills
  #accounts
  /** @type {Map<string, Lane>} */
  #lanes = new Map()
  /** @type {Map<string, Telling[]>} */
  #told = new Map()
  #planned = 0
  #broker

  /**
   * @param {import('./market.mjs').Market} market
   * @param {import('./random.mjs').Random} random
   * @param {{ fills: number, accounts: number }} size
   */
  constructor(market, random, { fills, accounts }) {
    this.#market = market
    this.#random = random
    this.#broker = new Broker(random)
    this.#fills = fills
    this.#accounts = Array.from({ length: accounts }, (_, n) => `account-${n + 1}`)
  }

  /**
   * The orders of one trading day; on the last one everything is closed.
   *
   * @param {number} day
   * @param {readonly Telling[]} tellings
   * @returns {Order[]}
   */
  day(day, tellings) {
    /** @type {Order[]} */
    const orders = []
    const midnight = this.#market.days[day] ?? 0
    const early = tellings.filter((one) => one.published_ms < midnight + LAST_STORY * MINUTE_MS)
    const context = { day, midnight, orders, bySymbol: bySymbol(early) }
    for (const lane of this.#lanes.values()) {
      if (isDue(lane, day)) this.#exit(lane, context)
    }
    for (const telling of this.#random.shuffled(early)) {
      if (this.#planned >= (this.#fills * (day + 1)) / TRADING_DAYS) break
      if (!telling.isCited) this.#enter(telling, context)
    }
    for (const telling of tellings) this.#remember(telling)
    return orders.sort((a, b) => a.at_ms - b.at_ms)
  }

  /** @typedef {{ day: number, midnight: number, orders: Order[], bySymbol: Map<string, Telling[]> }} Context */

  /** @type {(telling: Telling, context: Context) => void} */
  #enter(telling, context) {
    const lane = this.#laneOf(this.#random.pick(this.#accounts), telling.security.symbol)
    if (lane.open) return
    const start = context.midnight + FROM * MINUTE_MS
    const earliest = Math.max(telling.published_ms + MINUTE_MS, lane.last_ms + APART_MS, start)
    const at_ms = earliest + this.#random.integer(0, 19) * MINUTE_MS
    if (at_ms > context.midnight + LAST_ENTRY * MINUTE_MS) return
    this.#drift(lane)
    const side = this.#random.pick(/** @type {const} */ (['buy', 'sell']))
    const cited = this.#random.chance(WITHOUT_STORY) ? null : telling
    const partials = this.#partials()
    const order = this.#order(lane, { at_ms, side, telling: cited })
    const quantity = this.#quantity()
    this.#broker.fill(order, lane, { quantity, price: lane.price, partials })
    this.#planned += partials
    const open = this.#open(lane, { side, quantity, telling: cited }, context)
    if (partials > 1 && this.#random.chance(CROSSED)) open.heldBack = holdBack(order)
    context.orders.push(order)
    if (isDue(lane, context.day)) this.#exit(lane, context)
  }

  /** @type {(lane: Lane, context: Context) => void} */
  #exit(lane, context) {
    const { open } = lane
    if (!open) return
    const from = Math.max(lane.last_ms + APART_MS, context.midnight + FROM * MINUTE_MS)
    const to = context.midnight + TO * MINUTE_MS
    const at_ms = from + Math.floor(this.#random.next() * Math.max(0, (to - from) / 1_000)) * 1_000
    const news = context.bySymbol
      .get(lane.symbol)
      ?.find((one) => !one.isCited && one.published_ms < at_ms)
    const isLastDay = context.day === TRADING_DAYS - 1
    const reverses =
      news &&
      !open.heldBack &&
      !isLastDay &&
      this.#planned < this.#fills &&
      this.#random.chance(REVERSED)
    const telling = reverses ? news : null
    const added = reverses ? this.#quantity() : 0
    const side = open.side === 'buy' ? 'sell' : 'buy'
    const order = this.#order(lane, { at_ms, side, telling })
    const quantity = open.quantity + added
    this.#broker.fill(order, lane, { quantity, price: open.exitPrice, partials: open.exitPartials })
    if (open.heldBack) {
      order.deliveries.splice(this.#random.integer(1, order.deliveries.length), 0, open.heldBack)
    }
    lane.price = open.exitPrice
    lane.open = null
    if (telling) this.#open(lane, { side, quantity: added, telling, notToday: true }, context)
    context.orders.push(order)
  }

  /** @type {(lane: Lane, entry: { side: 'buy' | 'sell', quantity: number, telling: Telling | null, notToday?: boolean }, context: Context) => Open} */
  #open(lane, { side, quantity, telling, notToday = false }, { day }) {
    if (telling) telling.isCited = true
    const isRight = telling ? telling.isRight : this.#random.chance(0.5)
    const wins = this.#random.between(MOVE.least, MOVE.most) * (isRight ? 1 : -1)
    const scratches = this.#random.between(-MOVE.scratch, MOVE.scratch)
    const gain = this.#random.chance(SCRATCHED) ? scratches : wins
    const held = Math.max(this.#random.pick(HOLDING_DAYS), notToday ? 1 : 0)
    const exitPartials = this.#partials()
    this.#planned += exitPartials
    const open = {
      side,
      quantity,
      exitPrice: lane.price * (1 + ((side === 'buy' ? 1 : -1) * gain) / 10_000),
      exitDay: Math.min(day + held, TRADING_DAYS - 1),
      exitPartials,
      heldBack: null,
    }
    lane.open = open
    return open
  }

  /** @type {(lane: Lane, order: { at_ms: number, side: 'buy' | 'sell', telling: Telling | null }) => Order} */
  #order(lane, { at_ms, side, telling }) {
    const further = telling && this.#random.chance(SEVERAL_STORIES) ? this.#furtherOf(telling) : []
    return { lane: lane.name, at_ms, side, telling, further, deliveries: [] }
  }

  /** @type {(telling: Telling) => void} */
  #remember(telling) {
    const key = `${telling.source.name}|${telling.security.symbol}`
    this.#told.set(key, [...(this.#told.get(key) ?? []), telling].slice(-6))
  }

  /** @type {(telling: Telling) => Telling[]} */
  #furtherOf({ source, security, isRight }) {
    const told = this.#told.get(`${source.name}|${security.symbol}`) ?? []
    return told.filter((one) => one.isRight === isRight).slice(-MOST_FURTHER)
  }

  /** @type {(account: string, symbol: string) => Lane} */
  #laneOf(account, symbol) {
    const name = `${account}|${symbol}`
    const known = this.#lanes.get(name)
    if (known) return known
    const tick = this.#random.chance(0.2) ? 1 : CENT
    const price = this.#random.between(PRICE.least, PRICE.most)
    const lane = { name, account, symbol, tick, price, last_ms: 0, open: null }
    this.#lanes.set(name, lane)
    return lane
  }

  /** @type {(lane: Lane) => void} */
  #drift(lane) {
    const price = lane.price * this.#random.between(0.97, 1.03)
    lane.price = Math.min(Math.max(price, PRICE.least), PRICE.most)
  }

  #partials() {
    return this.#random.pick([1, 1, 1, 2, 2, 3])
  }

  /** In millionths: mostly whole shares, some with fractions. */
  #quantity() {
    const shares = this.#random.integer(3, 1_000) * MICROS
    return this.#random.chance(0.1) ? shares + this.#random.integer(1, MICROS - 1) : shares
  }
}

/** @type {(lane: Lane, day: number) => boolean} */
const isDue = ({ open }, day) => open?.exitDay === day

/** @type {(tellings: readonly Telling[]) => Map<string, Telling[]>} */
function bySymbol(tellings) {
  /** @type {Map<string, Telling[]>} */
  const groups = new Map()
  for (const telling of tellings) {
    const group = groups.get(telling.security.symbol)
    if (group) group.push(telling)
    else groups.set(telling.security.symbol, [telling])
  }
  return groups
}
