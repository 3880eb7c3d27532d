// @ts-check
/**
 * A simulated year through the product's own tools, on services of its own that it stops and removes:
 * ends with 1 when something that must always hold did not.
 */
import { parseArgs } from 'node:util'
import { describe, isSound } from './simulate/report.mjs'
import { Served } from './simulate/served.mjs'
import { simulateYear } from './simulate/year.mjs'

const SIZES = {
  small: { symbols: 40, sources: 8, accounts: 2, articles: 3_000, fills: 1_500 },
  full: { symbols: 500, sources: 40, accounts: 4, articles: 300_000, fills: 40_000 },
}
const USAGE = `npm run simulate -- [--size small|full] [--seed N] [--symbols N] [--articles N] [--fills N]
                    [--until YYYY-MM-DD] [--json]`
const DAYS_AGO = 4
const DAY_MS = 86_400_000

const { json, ...options } = readOptions()
const served = new Served()
let isStopping = false
for (const [signal, exitCode] of /** @type {const} */ ([
  ['SIGINT', 130],
  ['SIGTERM', 143],
])) {
  process.on(signal, async () => {
    isStopping = true
    await served.stop()
    process.exit(exitCode)
  })
}

try {
  const { url } = await served.ready()
  console.error(`serving on ${url}`)
  const { port, tools } = await served.connect()
  const hasSignals = tools.has('persist_trading_signal')
  const result = await simulateYear(port, { ...options, hasSignals }, console.error)
  console.log(json ? JSON.stringify({ options, ...result }, null, 2) : describe(result, options))
  process.exitCode = isSound(result) ? 0 : 1
} catch (error) {
  if (!isStopping) console.error(error)
  process.exitCode = 1
} finally {
  await served.stop()
}
process.exit()

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        size: { type: 'string', default: 'full' },
        seed: { type: 'string', default: '1' },
        symbols: { type: 'string' },
        articles: { type: 'string' },
        fills: { type: 'string' },
        until: { type: 'string', default: daysAgo(DAYS_AGO) },
        json: { type: 'boolean', default: false },
      },
    })
    const { size, until } = values
    if (size !== 'small' && size !== 'full') throw new Error('--size is small or full')
    if (!/^\d{4}-\d{2}-\d{2}$/.test(until) || !(Date.parse(until) <= Date.parse(daysAgo(1)))) {
      throw new Error('--until is a day in the past, such as 2026-01-30')
    }
    const usual = SIZES[size]
    return {
      ...usual,
      seed: whole('seed', values.seed, 0),
      symbols: whole('symbols', values.symbols ?? usual.symbols),
      articles: whole('articles', values.articles ?? usual.articles),
      fills: whole('fills', values.fills ?? usual.fills),
      until,
      json: values.json,
    }
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`)
    return process.exit(2)
  }
}

/** @type {(name: string, value: string | number, least?: number) => number} */
function whole(name, value, least = 1) {
  const number = Number(value)
  if (Number.isSafeInteger(number) && number >= least) return number
  throw new Error(`--${name} is a whole number from ${least} on`)
}

/** @type {(days: number) => string} */
function daysAgo(days) {
  return new Date(Date.now() - days * DAY_MS).toISOString().slice(0, 10)
}
