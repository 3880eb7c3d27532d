import { expect, test } from 'vitest'
import { EVENTS } from '../src/events.js'
import { fieldsOf } from '../src/mcp/schema-fields.js'
import { describedRegistry } from './support/registry.js'

/** Public names, as the specification and its contract spell them. Only additions may change this file. */
const PERSISTING = ['session_id', 'idempotency_key']

const NEWS_ARTICLE = [
  'headline',
  'source',
  'symbol',
  'published_timestamp',
  'catalyst_indicators',
  'catalyst_indicators.keywords',
  'catalyst_indicators.urgency_score',
  'catalyst_indicators.market_state',
  'url',
  'snippet',
]

const EVENT_LIST = [
  'events',
  'events[].seq',
  'events[].type',
  'events[].at',
  'events[].severity',
  'events[].data',
  'next_cursor',
]

const NEWS_ITEM = [
  'news_id',
  'headline',
  'source',
  'source_tier',
  'symbol',
  'published_at',
  'collected_at',
  'market_state',
  'catalyst_type',
  'catalyst_score',
  'keywords',
  'urgency_score',
  'update_count',
  'cluster_id',
  'url',
]

const ITEM_ERRORS = ['rejected', 'errors', 'errors[].index', 'errors[].code', 'errors[].message']

const JOB = ['job_id', 'state', 'progress', 'result', 'error']

const CONNECTIONS = [
  'pool_stats',
  'pool_stats.total',
  'pool_stats.active',
  'pool_stats.idle',
  'pool_stats.waiting',
  'connection_details',
]

const TOOLS: Readonly<Record<string, { takes: readonly string[]; answers: readonly string[] }>> = {
  start_db_session: {
    takes: ['isolation_level', 'read_only'],
    answers: ['session_id', 'expires_in', 'expires_at'],
  },
  execute_transaction: {
    takes: [
      'session_id',
      'operations',
      'operations[].tool',
      'operations[].params',
      'operations[].resource',
      'commit',
    ],
    answers: ['results', 'transaction_id', 'committed'],
  },
  end_db_session: {
    takes: ['session_id', 'outcome'],
    answers: ['outcome', 'operations_count'],
  },
  persist_news_catalyst: {
    takes: [...NEWS_ARTICLE, ...PERSISTING],
    answers: [
      'news_id',
      'catalyst_score',
      'source_metrics_updated',
      'duplicate',
      'market_state',
      'catalyst_type',
      'cluster_id',
      'score_components',
      'score_components.tier_weight',
      'score_components.recency',
      'score_components.keyword_weight',
      'score_components.state_multiplier',
      'warnings',
      'replayed',
    ],
  },
  persist_news_batch: {
    takes: [
      'articles',
      ...NEWS_ARTICLE.map((field) => `articles[].${field}`),
      'deduplicate',
      ...PERSISTING,
    ],
    answers: [
      'total_processed',
      'new_articles',
      'duplicates',
      'catalyst_scores',
      ...ITEM_ERRORS,
      'replayed',
    ],
  },
  persist_price_bars: {
    takes: [
      'symbol',
      'timeframe',
      'bars',
      ...['ts', 'timestamp', 'open', 'high', 'low', 'close', 'volume'].map(
        (name) => `bars[].${name}`,
      ),
      ...PERSISTING,
    ],
    answers: ['stored', 'replaced', 'unchanged', ...ITEM_ERRORS, 'replayed'],
  },
  get_job: { takes: ['job_id', 'wait_ms'], answers: JOB },
  cancel_job: { takes: ['job_id'], answers: JOB },
  read_resource: { takes: ['uri'], answers: [] },
  list_events: { takes: ['types', 'after', 'limit', 'wait_ms'], answers: EVENT_LIST },
}

const RESOURCES: Readonly<
  Record<string, { takes: readonly string[]; answers: readonly string[] }>
> = {
  news: {
    takes: [
      ...['symbol', 'source', 'since', 'until', 'catalyst_type', 'min_score'],
      ...['limit', 'cursor'],
    ],
    answers: ['items', ...NEWS_ITEM.map((field) => `items[].${field}`), 'next_cursor'],
  },
  'news/{news_id}': {
    takes: ['news_id'],
    answers: [
      ...NEWS_ITEM,
      ...['snippet', 'score_components', 'symbols', 'confirmed_by', 'confirms'],
      ...['cluster', 'outcome'],
    ],
  },
  'market/clock': {
    takes: ['at'],
    answers: [
      'at',
      'market_state',
      'timezone',
      'trading_date',
      'is_trading_day',
      'is_half_day',
      'session',
      'next_open',
      'next_close',
    ],
  },
  'db/status': {
    takes: [],
    answers: [
      'status',
      'reasons',
      'postgresql',
      'postgresql.engine',
      'postgresql.since',
      'redis',
      'redis.engine',
      'redis.since',
      'connection_pool',
      'replication_lag',
      'object_store',
      'last_backup',
      'schema_version',
      'uptime_seconds',
    ],
  },
  'db/performance/connections': { takes: ['limit'], answers: CONNECTIONS },
  'db/connections': { takes: ['limit'], answers: CONNECTIONS },
  'db/sessions/active': {
    takes: [],
    answers: [
      'sessions',
      'sessions[].session_id',
      'sessions[].started_at',
      'sessions[].transaction_active',
      'sessions[].operations_count',
      'sessions[].isolation_level',
      'sessions[].read_only',
      'sessions[].idle_seconds',
      'sessions[].expires_at',
    ],
  },
  'db/sessions/{session_id}': {
    takes: ['session_id'],
    answers: [
      'session_id',
      'connection_info',
      'connection_info.pool_id',
      'connection_info.backend_pid',
      'transaction_state',
      'locks_held',
    ],
  },
  'cache/stats': {
    takes: [],
    answers: [
      'redis_info',
      'redis_info.used_memory',
      'redis_info.used_memory_bytes',
      'redis_info.max_memory_bytes',
      'redis_info.hit_rate',
      'redis_info.evicted_keys',
      'redis_info.connected_clients',
      'redis_info.keys',
      'redis_info.by_cache_type',
    ],
  },
  'jobs/{job_id}': { takes: ['job_id'], answers: JOB },
  events: { takes: ['types', 'after', 'limit'], answers: EVENT_LIST },
  'events/{type}': { takes: ['type', 'after', 'limit'], answers: EVENT_LIST },
}

const EVENT_NAMES = ['db.transaction', 'db.error', 'db.session.expired', 'job.finished']

const registry = await describedRegistry()

test('nothing is served that the contract does not name', () => {
  expect([...registry.tools.keys()].sort()).toEqual(Object.keys(TOOLS).sort())
  expect(registry.resources.map(({ path }) => path).sort()).toEqual(Object.keys(RESOURCES).sort())
  expect(Object.keys(EVENTS).sort()).toEqual([...EVENT_NAMES].sort())
})

test.each(Object.entries(TOOLS))('%s takes and answers what the contract says', (name, spec) => {
  const tool = registry.tools.get(name)
  expect(tool && names(tool.input, 'input').sort()).toEqual([...spec.takes].sort())
  expect(tool && names(tool.output, 'output')).toEqual(expect.arrayContaining([...spec.answers]))
})

test.each(Object.entries(RESOURCES))(
  '%s takes and answers what the contract says',
  (path, spec) => {
    const resource = registry.resources.find((served) => served.path === path)
    expect(resource && names(resource.input, 'input').sort()).toEqual([...spec.takes].sort())
    expect(resource && names(resource.output, 'output')).toEqual(
      expect.arrayContaining([...spec.answers]),
    )
  },
)

function names(schema: Parameters<typeof fieldsOf>[0], io: 'input' | 'output'): string[] {
  return fieldsOf(schema, io).map(({ name }) => name)
}
