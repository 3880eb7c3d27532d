// @ts-check
import { Random } from './random.mjs'

/**
 * @typedef {object} Source
 * @property {string} name
 * @property {number} tier
 * @property {number} planted how often its stories are right
 */

/** @typedef {{ readonly symbol: string, readonly company: string }} Security */

/**
 * @typedef {object} Market
 * @property {readonly Source[]} sources
 * @property {readonly Security[]} securities
 * @property {readonly number[]} days the year's trading days: midnight UTC in milliseconds
 */

/**
 * @typedef {object} Size
 * @property {number} seed
 * @property {number} symbols
 * @property {number} sources
 * @property {number} accounts
 * @property {number} articles what is sent in batches, repeats included
 * @property {number} fills distinct ones
 * @property {string} until the last day, as 2026-01-30
 */

/** Weekdays of a year. A fixed count: what a seed plants does not depend on the day it is run. */
export const TRADING_DAYS = 260
/** After each the syncs are run. */
export const MONTHS = 12

const DAY_MS = 86_400_000
const LEAST_RELIABLE = 0.35
const MOST_RELIABLE = 0.8
const LETTERS = 26

/** Names give a source its tier; what is planted has nothing to do with the real outlets. */
const KNOWN_SOURCES = /** @type {const} */ ([
  ['Reuters', 1],
  ['MarketWatch', 2],
  ['Benzinga', 3],
  ['Zacks', 4],
  ['Bloomberg', 1],
  ['CNBC', 2],
  ['Seeking Alpha', 3],
  ['TipRanks', 4],
])
const UNKNOWN_TIER = 5

const SYLLABLES =
  'ba co di fe gu ha jo ki lu ma ne po qua ri so ta ve wi xo zu bre cli dra flo gri'.split(' ')
const BUSINESSES = ['Holdings', 'Industries', 'Labs', 'Systems', 'Energy', 'Foods', 'Robotics']

/**
 * The world of a seed: who tells stories about what, and how far each can be trusted.
 *
 * @param {Size} size
 * @returns {Market}
 */
export function plantMarket({ seed, symbols, sources, until }) {
  const random = new Random(seed)
  // Spread evenly over the range, so that few sources show as much of it as many.
  const step = (MOST_RELIABLE - LEAST_RELIABLE) / sources
  const planted = Array.from({ length: sources }, (_, n) => {
    return LEAST_RELIABLE + step * (n + random.next())
  })
  return {
    sources: random.shuffled(planted).map((share, n) => ({ ...nameOf(n), planted: share })),
    securities: Array.from({ length: symbols }, (_, n) => ({
      symbol: symbolOf(n),
      company: `${capital(madeUpWord(n))} ${random.pick(BUSINESSES)}`,
    })),
    days: weekdaysUntil(Date.parse(`${until}T00:00:00Z`)),
  }
}

/**
 * The month, from 0, in which the nth trading day lies.
 *
 * @param {number} day
 */
export const monthOf = (day) => Math.floor((day * MONTHS) / TRADING_DAYS)

/**
 * A word nobody else has: each number has its own.
 *
 * @param {number} n
 * @returns {string}
 */
export function madeUpWord(n) {
  const base = SYLLABLES.length
  const rest = Math.floor(n / base)
  return `${rest === 0 ? 'n' : madeUpWord(rest - 1)}${SYLLABLES[n % base]}`
}

/** @type {(word: string) => string} */
const capital = (word) => word.slice(0, 1).toUpperCase() + word.slice(1)

/** @type {(n: number) => { name: string, tier: number }} */
function nameOf(n) {
  const [name, tier] = KNOWN_SOURCES[n] ?? []
  return name === undefined || tier === undefined
    ? { name: `Simulated Wire ${n + 1 - KNOWN_SOURCES.length}`, tier: UNKNOWN_TIER }
    : { name, tier }
}

/** @type {(n: number) => string} */
function symbolOf(n) {
  const letter = (/** @type {number} */ digit) => String.fromCharCode(65 + (digit % LETTERS))
  return `Z${letter(n / LETTERS ** 2)}${letter(n / LETTERS)}${letter(n)}`
}

/** @type {(last: number) => number[]} */
function weekdaysUntil(last) {
  const days = []
  for (let day = last; days.length < TRADING_DAYS; day -= DAY_MS) {
    const weekday = new Date(day).getUTCDay()
    if (weekday !== 0 && weekday !== 6) days.push(day)
  }
  return days.reverse()
}
