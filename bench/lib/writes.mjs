import { SYMBOLS, singleStories } from './news.mjs'

const DAY_MS = 86_400_000
/** So many accounts have a book in each symbol, so that fills of a batch meet nobody else's. */
const ACCOUNTS = 40

/** An instant of its own for each call of a database, some weeks back. */
const instantOf = (batch, i) => new Date(Date.now() - 30 * DAY_MS + batch * DAY_MS + i * 60_000)

const fillsOf = ({ count, batch }) =>
  Array.from({ length: count }, (_, i) => ({
    symbol: SYMBOLS[i % SYMBOLS.length],
    account_id: `account-${Math.floor(i / SYMBOLS.length) % ACCOUNTS}`,
    execution_id: `x-${batch}-${i}`,
    side: 'buy',
    quantity: '100',
    execution_details: {
      order_type: 'limit',
      fill_price: '50.25',
      fill_time: instantOf(batch, i).toISOString(),
    },
    catalyst_tracking: { entry_catalyst: 'earnings' },
    fees: '1.05',
  }))

const signalsOf = ({ count, batch }) =>
  Array.from({ length: count }, (_, i) => ({
    symbol: SYMBOLS[i % SYMBOLS.length],
    signal_type: 'BUY',
    confidence: 0.8,
    // An account has few pending entries, one at most in a symbol.
    account_id: `bench-${batch}-${i}`,
    catalyst_context: { news_ids: [], catalyst_type: 'earnings', catalyst_score: 40 },
    technical_context: {
      patterns: ['bull_flag'],
      indicators: { price: 50, atr: 1.5, equity: 100_000, batch },
    },
  }))

const patternsOf = ({ count, batch }) =>
  Array.from({ length: count }, (_, i) => ({
    symbol: SYMBOLS[i % SYMBOLS.length],
    pattern_type: 'bull_flag',
    timeframe: '1m',
    confidence: 0.8,
    catalyst_alignment: { has_catalyst: true, catalyst_type: 'earnings', alignment_score: 0.5 },
    detected_at: instantOf(batch, i).toISOString(),
    price: '50.25',
  }))

/** What single calls write: the tool, its arguments, and the table in which each adds a row. */
export const WRITES = {
  news: {
    tool: 'persist_news_catalyst',
    table: 'catalyst.news_articles',
    argumentsOf: singleStories,
    isAdded: ({ duplicate }) => duplicate === false,
  },
  fills: {
    tool: 'persist_trade_execution',
    table: 'catalyst.trade_executions',
    argumentsOf: fillsOf,
    isAdded: ({ position_updated }) => position_updated,
    prepare: (database) =>
      database.query(
        `insert into catalyst.position_books (account_id, security_id)
         select 'account-' || a, security_id
         from catalyst.securities, generate_series(0, $1::int - 1) as a`,
        [ACCOUNTS],
      ),
  },
  signals: {
    tool: 'persist_trading_signal',
    table: 'catalyst.trading_signals',
    argumentsOf: signalsOf,
    isAdded: ({ signal_id }) => signal_id.startsWith('sig_'),
  },
  patterns: {
    tool: 'persist_pattern_detection',
    table: 'catalyst.pattern_detections',
    argumentsOf: patternsOf,
    isAdded: ({ duplicate }) => duplicate === false,
  },
}

/** A migrated database, ready for these writes. */
export async function databaseFor(bench, { prepare = async () => {} }) {
  const database = await bench.database()
  await prepare(database)
  return database
}
