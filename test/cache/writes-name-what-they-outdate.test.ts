import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { bar, minute } from '../market/bars.js'
import { story, uniqueHeadline } from '../market/support.js'
import { startApp } from '../support/app.js'
import { describedRegistry } from '../support/registry.js'
import { closePosition, tell } from '../sync/support.js'
import { detection, uniqueType } from '../trading/pattern-support.js'
import { fill, uniqueSymbol } from '../trading/support.js'

const { client, database } = await startApp()

type Marks = Record<string, string[]>
const newsOf = (...symbols: string[]): Marks => ({ news: symbols, sentiment: symbols })

/** The marks of all transactions while `work` ran, in the order of the commits. */
async function marksOf(work: () => Promise<unknown>): Promise<(Marks | null)[]> {
  const event_id = randomUUID()
  await database.query(
    `insert into catalyst.event_outbox (type, data, event_id) values ('test', '{}', $1)`,
    [event_id],
  )
  await work()
  const rows = await database.query<{ touched: Marks | null }>(
    `with told as (
       select 0 as published, seq as place, type, data, event_id, at from catalyst.events
       union all
       select 1, outbox_id, type, data, event_id, at from catalyst.event_outbox
     )
     select t.data -> 'touched' as touched
     from told t, (select at from told where event_id = $1) s
     where t.at > s.at and t.type = 'db.transaction'
     order by t.published, t.place`,
    [event_id],
  )
  return rows.map(({ touched }) => touched)
}

interface Case {
  readonly tool: string
  /** What it is that changes, and what does not. */
  readonly what: string
  /** Prepares, then answers the call and the marks it must leave; null for none. */
  prepare(): Promise<{ args: Record<string, unknown>; marks: Marks | null }>
}

const of = (
  tool: string,
  what: string,
  prepare: () => Promise<{ args: Record<string, unknown>; marks: Marks | null }>,
): Case => ({ tool, what, prepare })

const known = async (symbol: string | undefined) => {
  const args = story({ headline: uniqueHeadline(), symbol })
  await client.tool('persist_news_catalyst', args)
  return args
}

const bars = (symbol: string) => ({ symbol, timeframe: '1m', bars: [bar(minute(0))] })

const CASES: readonly Case[] = [
  of('persist_news_catalyst', 'a new story', async () => {
    const symbol = uniqueSymbol()
    return { args: story({ headline: uniqueHeadline(), symbol }), marks: newsOf(symbol) }
  }),
  of('persist_news_catalyst', 'a story of no company', async () => ({
    args: story({ headline: uniqueHeadline(), symbol: undefined }),
    marks: newsOf('-'),
  })),
  of('persist_news_catalyst', 'the very same story again', async () => ({
    args: await known(uniqueSymbol()),
    marks: null,
  })),
  of('persist_news_catalyst', 'a repeat, counted on the story', async () => {
    const symbol = uniqueSymbol()
    const args = await known(symbol)
    return {
      args: { ...args, published_timestamp: '2024-08-12T15:00:00Z' },
      marks: newsOf(symbol),
    }
  }),
  of('persist_news_catalyst', 'a known story sent for another company', async () => {
    const symbols = [uniqueSymbol(), uniqueSymbol()].sort()
    const args = await known(symbols[0])
    return { args: { ...args, symbol: symbols[1] }, marks: newsOf(...symbols) }
  }),
  of('persist_news_catalyst', 'a story of no company sent for one', async () => {
    const symbol = uniqueSymbol()
    const args = await known(undefined)
    return { args: { ...args, symbol }, marks: newsOf('-', symbol) }
  }),
  of('persist_news_batch', 'stories of several companies', async () => {
    const symbols = [uniqueSymbol(), uniqueSymbol()].sort()
    const articles = symbols.map((symbol) => story({ headline: uniqueHeadline(), symbol }))
    return { args: { articles, deduplicate: true }, marks: newsOf(...symbols) }
  }),
  of('persist_news_batch', 'more companies than an event should name', async () => {
    const articles = Array.from({ length: 101 }, () =>
      story({ headline: uniqueHeadline(), symbol: uniqueSymbol() }),
    )
    return { args: { articles, deduplicate: true }, marks: newsOf('*') }
  }),
  of('persist_price_bars', 'a new bar', async () => {
    const symbol = uniqueSymbol()
    return { args: bars(symbol), marks: { indicators: [symbol] } }
  }),
  of('persist_price_bars', 'a known bar', async () => {
    const args = bars(uniqueSymbol())
    await client.tool('persist_price_bars', args)
    return { args, marks: null }
  }),
  of('persist_pattern_detection', 'a new detection', async () => {
    const symbol = uniqueSymbol()
    return { args: detection({ symbol }), marks: { patterns: [symbol] } }
  }),
  of('persist_pattern_detection', 'a known one', async () => {
    const args = detection({ symbol: uniqueSymbol(), detected_at: '2025-07-08T14:02:00Z' })
    await client.tool('persist_pattern_detection', args)
    return { args, marks: null }
  }),
  of('update_pattern_outcome', 'another outcome, which statistics count', async () => {
    const symbol = uniqueSymbol()
    const { pattern_id } = await client.tool('persist_pattern_detection', detection({ symbol }))
    return { args: { pattern_id, success: true }, marks: { patterns: ['-', symbol] } }
  }),
  of('update_pattern_outcome', 'the outcome that is known', async () => {
    const { pattern_id } = await client.tool('persist_pattern_detection', {
      ...detection({ symbol: uniqueSymbol() }),
    })
    const args = { pattern_id, success: true }
    await client.tool('update_pattern_outcome', args)
    return { args, marks: null }
  }),
  of('persist_trading_signal', 'nothing that is cached', async () => ({
    args: {
      symbol: uniqueSymbol(),
      signal_type: 'BUY',
      confidence: 0.8,
      catalyst_context: { news_ids: [] },
      technical_context: { patterns: [uniqueType()], indicators: {} },
    },
    marks: null,
  })),
  of('update_signal_status', 'nothing that is cached', async () => {
    const { signal_id } = await client.tool('persist_trading_signal', {
      symbol: uniqueSymbol(),
      signal_type: 'HOLD',
      confidence: 0.8,
      catalyst_context: { news_ids: [] },
      technical_context: { patterns: [], indicators: {} },
    })
    return { args: { signal_id, status: 'cancelled' }, marks: null }
  }),
  of('persist_trade_execution', 'nothing that is cached', async () => ({
    args: fill({ symbol: uniqueSymbol() }),
    marks: null,
  })),
  of('sync_catalyst_outcomes', 'what became of stories', async () => {
    await client.tool('sync_catalyst_outcomes')
    const symbol = uniqueSymbol()
    await closePosition(client, 'win', await tell(client, 'Reuters', { symbol }))
    return { args: {}, marks: { news: [symbol] } }
  }),
  of('sync_source_metrics', 'nothing that is cached', async () => ({ args: {}, marks: null })),
  of('sync_pattern_outcomes', 'decided patterns, which statistics count', async () => {
    const [symbol, pattern_type] = [uniqueSymbol(), uniqueType()]
    await client.tool('persist_pattern_detection', {
      ...detection({ symbol, pattern_type, detected_at: '2025-07-08T14:02:00Z' }),
    })
    const args = { pattern_types: [pattern_type] }
    return { args, marks: { patterns: ['-', symbol] } }
  }),
]

test('every tool that writes in a transaction is judged here', async () => {
  const { tools } = describedRegistry()
  const writing = [...tools.values()].filter(({ operate }) => operate).map(({ name }) => name)
  expect([...new Set(CASES.map(({ tool }) => tool))].sort()).toEqual(writing.sort())
})

test.each(CASES)('$tool: $what', async ({ tool, prepare }) => {
  const { args, marks } = await prepare()
  const told = (await marksOf(() => client.tool(tool, args))).filter((one) => one !== null)
  for (const one of told) expect(one).toEqual(marks)
  expect(told.length > 0).toBe(marks !== null)
})

test.each(CASES)('$tool in a session, at its commit: $what', async ({ tool, prepare }) => {
  const { args, marks } = await prepare()
  const { session_id } = await client.tool('start_db_session')
  const operations = [{ tool, params: args }]
  const held = () => client.tool('execute_transaction', { session_id, operations, commit: false })
  expect(await marksOf(held)).toEqual([])
  const end = () => client.tool('end_db_session', { session_id, outcome: 'commit' })
  expect(await marksOf(end)).toEqual([marks])
})

test('marks of all operations of a session go out with its one commit', async () => {
  const symbols = [uniqueSymbol(), uniqueSymbol()].sort()
  const { session_id } = await client.tool('start_db_session')
  const told = await marksOf(() =>
    client.tool('execute_transaction', {
      session_id,
      operations: [
        ...symbols.map((symbol) => ({
          tool: 'persist_news_catalyst',
          params: story({ headline: uniqueHeadline(), symbol }),
        })),
        { tool: 'persist_price_bars', params: bars(symbols[0] ?? '') },
      ],
    }),
  )
  expect(told).toEqual([{ ...newsOf(...symbols), indicators: [symbols[0]] }])
  await client.tool('end_db_session', { session_id, outcome: 'rollback' })
})
