import { expect, test } from 'vitest'
import { fieldsOf } from '../../src/mcp/schema-fields.js'
import { startApp, ToolError } from '../support/app.js'
import { article } from '../support/news.js'
import { describedRegistry } from '../support/registry.js'
import { detection } from '../trading/pattern-support.js'
import { signal, uniqueSymbol } from '../trading/signals.js'
import { fill } from '../trading/support.js'

const { client } = await startApp()
const persisting = [...describedRegistry().tools.values()].filter((tool) => tool.persists)

const story = () => ({
  ...article(),
  catalyst_indicators: { keywords: ['fda'], urgency_score: 0.5, market_state: 'regular' },
  url: 'https://example.com/a',
  snippet: 'a snippet',
})
const { news_id } = await client.tool('persist_news_catalyst', story())
const pattern = (await client.tool('persist_pattern_detection', detection())).pattern_id

/** A valid call of each tool, with every field that it takes. */
const CALLS: Readonly<Record<string, () => Promise<object> | object>> = {
  persist_news_catalyst: story,
  persist_news_batch: () => ({ articles: [story()], deduplicate: true }),
  persist_price_bars: () => ({
    symbol: uniqueSymbol(),
    timeframe: '1d',
    bars: ['ts', 'timestamp'].map((name, i) => ({
      [name]: `2024-08-1${i + 2}T14:00:00Z`,
      ...{ open: 10, high: 11, low: 9, close: 10.5, volume: 100 },
    })),
  }),
  persist_pattern_detection: () => ({
    ...detection({ price: 10, timeframe: '5m', direction: 'bullish' }),
    catalyst_alignment: { has_catalyst: true, catalyst_type: 'earnings', alignment_score: 0.5 },
    detected_at: '2024-08-12T14:00:00Z',
  }),
  update_pattern_outcome: () => ({
    pattern_id: pattern,
    success: true,
    actual_move: 12.5,
    evidence: { close: 10 },
  }),
  persist_trading_signal: () => {
    const indicators = { price: 50, atr: 1.5, equity: 100_000, rsi: 61.25 }
    const { technical_context, ...given } = signal({
      indicators,
      news_ids: [news_id],
      patterns: ['gap_up'],
    })
    return { ...given, technical_context: { ...technical_context, timeframe: '5m' } }
  },
  update_signal_status: async () => {
    const { signal_id } = await client.tool('persist_trading_signal', signal())
    return { signal_id, status: 'cancelled', reason: 'changed our minds' }
  },
  persist_trade_execution: async () => {
    const sent = signal()
    const { symbol, account_id } = sent
    const { signal_id } = await client.tool('persist_trading_signal', sent)
    const catalyst_tracking = { entry_catalyst: 'earnings', entry_news_id: news_id }
    const ids = { execution_id: `x-${symbol}`, order_id: `o-${symbol}` }
    return fill({ symbol, account_id, signal_id, fees: 1, catalyst_tracking, ...ids })
  },
}

const EXTREMES = [
  ...[1e30, -1e30, 1e-30, 2 ** 53, 0.1 + 0.2, 1e8 / 7, -0],
  ...['9'.repeat(40), '999999999999.999999', '99999999999999.999999', '0.0000001', 'NaN', '1e400'],
  ...['', 'x'.repeat(100_000), ' '.repeat(50_000), 'é'.repeat(300)],
]

type Path = readonly (string | number)[]

/** Where the numbers and texts of a call are. */
function pathsOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return typeof value === 'boolean' ? [] : [path]
  const isList = Array.isArray(value)
  return Object.entries(value).flatMap(([key, item]) =>
    pathsOf(item, [...path, isList ? Number(key) : key]),
  )
}

/** A call with another value at one place. */
function changed(call: unknown, [key, ...rest]: Path, value: unknown): unknown {
  if (key === undefined) return value
  if (Array.isArray(call)) {
    return call.map((item, i) => (i === key ? changed(item, rest, value) : item))
  }
  const items = Object(call)
  return { ...items, [key]: changed(items[key], rest, value) }
}

const named = (path: Path) =>
  path
    .map((part) => (typeof part === 'number' ? '[]' : `.${part}`))
    .join('')
    .slice(1)

/** Of a document that is stored as it is, the whole may be named. */
function nameOf(path: Path): RegExp {
  const names = path.filter((part) => typeof part === 'string')
  const documents = names.filter((name) => name === 'indicators' || name === 'evidence')
  return new RegExp([names.at(-1), ...documents].join('|'))
}

test.each(persisting)('the calls of $name are tried with every field', async ({ name, input }) => {
  const fields = fieldsOf(input, 'input').filter(({ type }) => !/^boolean|^object/.test(type))
  const tried = pathsOf(await CALLS[name]?.()).map((path) => named(path).replace(/\[\]$/, ''))
  const aside = ['session_id', 'idempotency_key', 'articles', 'bars']
  const missing = fields.map((field) => field.name).filter((field) => !aside.includes(field))
  expect(missing.filter((field) => !tried.some((one) => one.startsWith(field)))).toEqual([])
})

test.each(Object.keys(CALLS))('%s stores a value or names its field', async (tool) => {
  const valid = await CALLS[tool]?.()
  for (const path of [...pathsOf(valid), ['idempotency_key']]) {
    await Promise.all(EXTREMES.map((value) => tryValue(tool, path, value)))
  }
})

async function tryValue(tool: string, path: Path, value: unknown): Promise<void> {
  const call = changed(await CALLS[tool]?.(), path, value) as Record<string, unknown>
  // A key stands for one call: what could be one must be this call's own.
  if (isKey(call.idempotency_key)) call.idempotency_key = `${tool}:${call.idempotency_key}`
  const refusal = await refusalOf(tool, call)
  if (refusal === null) return
  const what = `${named(path)}: ${String(value).slice(0, 40)}`
  expect(refusal.code, what).toMatch(/^(invalid_input|not_found)$/)
  expect(refusal.message, what).toMatch(nameOf(path))
  expect(refusal.message, what).not.toContain('PostgreSQL')
}

const isKey = (value: unknown): boolean =>
  typeof value === 'string' && /^[\x21-\x7e]{1,200}$/.test(value)

/** Why a call, or the one item of it, was refused; null when it was stored. */
async function refusalOf(
  tool: string,
  call: Record<string, unknown>,
): Promise<{ code: string; message: string } | null> {
  try {
    const { errors } = await client.tool(tool, call)
    return errors?.[0] ?? null
  } catch (error) {
    if (error instanceof ToolError) return error.body
    throw error
  }
}
