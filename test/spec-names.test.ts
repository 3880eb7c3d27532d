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

const JOB = ['job_id', 'state', 'progress', 'result', 'error']

const REPORT = [
  ...['report_id', 'verdict', 'summary', 'findings', 'actions', 'backups', 'sync'],
  ...['changes_since_last', 'next_run'],
  ...['action', 'tool', 'arguments', 'reason', 'evidence', 'decision', 'why', 'before', 'after']
    .concat('outcome', 'recommendation_id')
    .map((field) => `actions[].${field}`),
]

const RISK_PARAMETERS = [
  'intent',
  'size_tier',
  'max_position_pct',
  'shares',
  'shares_by_risk',
  'shares_by_size',
  'entry_price',
  'stop_price',
  'target_1',
  'target_2',
  'reward_risk',
  'atr',
  'atr_source',
  'atr_timeframe',
  'equity',
  'missing',
  'checks',
  'checks[].check',
  'checks[].passed',
  'checks[].detail',
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

const POSITION = [
  'position_id',
  'direction',
  'status',
  'qty_open',
  'avg_entry_price',
  'realized_pnl',
  'fees',
  'net_pnl',
]

const SIGNAL = [
  ...['signal_id', 'account_id', 'symbol', 'signal_type', 'intent', 'confidence', 'status'],
  ...['reasons', 'shares', 'entry_price', 'stop_price', 'target_1', 'target_2'],
  ...['created_at', 'expires_at'],
]

const BACKUP = [
  ...['backup_id', 'timestamp', 'size', 'size_bytes', 'location', 'base_backup', 'encrypted'],
]

const LIST = ['symbol', 'since', 'until', 'stored_since', 'limit', 'cursor']

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
      'idempotency_key',
    ],
    answers: ['results', 'transaction_id', 'committed', 'replayed'],
  },
  end_db_session: {
    takes: ['session_id', 'outcome', 'idempotency_key'],
    answers: ['outcome', 'operations_count', 'replayed'],
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
      'news_ids',
      'new_articles',
      'duplicates',
      'catalyst_scores',
      ...ITEM_ERRORS,
      'replayed',
    ],
  },
  persist_pattern_detection: {
    takes: [
      'symbol',
      'pattern_type',
      'confidence',
      'catalyst_alignment',
      'catalyst_alignment.has_catalyst',
      'catalyst_alignment.catalyst_type',
      'catalyst_alignment.alignment_score',
      'timeframe',
      'direction',
      'detected_at',
      'price',
      ...PERSISTING,
    ],
    answers: [
      'pattern_id',
      'historical_success_rate',
      'sample_size',
      'interval',
      'interval.low',
      'interval.high',
      'level',
      'duplicate',
      'warnings',
      'replayed',
    ],
  },
  update_pattern_outcome: {
    takes: ['pattern_id', 'success', 'actual_move', 'evidence', ...PERSISTING],
    answers: [
      'pattern_id',
      'changed',
      'previous',
      'previous.status',
      'previous.success',
      'previous.method',
      'status',
      'success',
      'method',
      'move_bps',
      'historical_success_rate',
      'sample_size',
      'replayed',
    ],
  },
  persist_trading_signal: {
    takes: [
      'symbol',
      'signal_type',
      'confidence',
      'catalyst_context',
      'catalyst_context.news_ids',
      'catalyst_context.catalyst_type',
      'catalyst_context.catalyst_score',
      'technical_context',
      'technical_context.patterns',
      'technical_context.indicators',
      'technical_context.timeframe',
      'account_id',
      ...PERSISTING,
    ],
    answers: [
      'signal_id',
      'account_id',
      'risk_parameters',
      ...RISK_PARAMETERS.map((field) => `risk_parameters.${field}`),
      'status',
      'reasons',
      'expires_at',
      'warnings',
      'replayed',
    ],
  },
  update_signal_status: {
    takes: ['signal_id', 'status', 'reason', ...PERSISTING],
    answers: ['signal_id', 'previous_status', 'status', 'changed', 'reason', 'replayed'],
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
  persist_trade_execution: {
    takes: [
      'signal_id',
      'symbol',
      'side',
      'quantity',
      'execution_details',
      'execution_details.order_type',
      'execution_details.fill_price',
      'execution_details.fill_time',
      'catalyst_tracking',
      'catalyst_tracking.entry_catalyst',
      'catalyst_tracking.entry_news_id',
      'account_id',
      'execution_id',
      'order_id',
      'fees',
      ...PERSISTING,
    ],
    answers: [
      'trade_id',
      'position_updated',
      ...POSITION.map((field) => `position.${field}`),
      ...POSITION.map((field) => `closed_position.${field}`),
    ],
  },
  sync_catalyst_outcomes: {
    takes: ['since', 'batch_size', 'idempotency_key'],
    answers: ['trades_processed', 'news_accuracy_updated', 'source_metrics_updated'],
  },
  sync_source_metrics: {
    takes: ['sources', 'recalculate_all', 'idempotency_key'],
    answers: ['sources_updated', 'accuracy_changes'],
  },
  sync_pattern_outcomes: {
    takes: ['pattern_types', 'timeframe', 'idempotency_key'],
    answers: ['patterns_updated', 'success_rate_changes'],
  },
  run_migrations: {
    takes: ['target_version', 'dry_run', 'confirm_token', 'idempotency_key'],
    answers: [
      'migrations_applied',
      ...['version', 'name', 'status', 'duration_ms', 'statements', 'locks', 'lint'].map(
        (field) => `migrations_applied[].${field}`,
      ),
      'new_version',
    ],
  },
  create_migration: {
    takes: ['name', 'up_sql', 'down_sql', 'description'],
    answers: ['migration_file', 'version', 'lint', 'lint[].rule', 'lint[].severity', 'lint[].line'],
  },
  rollback_migration: {
    takes: ['target_version', 'confirm_token', 'idempotency_key'],
    answers: ['rolled_back', 'current_version'],
  },
  cache_pattern_result: {
    takes: ['symbol', 'pattern_type', 'result', 'ttl'],
    answers: ['cached', 'key', 'reason'],
  },
  invalidate_cache: {
    takes: ['pattern', 'symbol', 'cache_type', 'confirm_token'],
    answers: ['keys_deleted', 'complete', 'reason'],
  },
  warm_cache: {
    takes: ['symbols', 'cache_types', 'idempotency_key'],
    answers: [
      'warmed_entries',
      'duration_ms',
      'by_cache_type',
      'skipped',
      'skipped[].symbol',
      'skipped[].cache_type',
      'skipped[].reason',
    ],
  },
  create_backup: {
    takes: ['type', 'compress', 'encrypt', 'idempotency_key'],
    answers: [
      ...['backup_id', 'location', 'size_bytes', 'duration_ms', 'type', 'reason', 'covered_until'],
      ...['encrypted', 'tables', 'rows', 'issues'],
    ],
  },
  verify_backup: {
    takes: ['backup_id', 'level', 'idempotency_key'],
    answers: [
      ...['valid', 'issues', 'level', 'objects', 'bytes', 'not_checked', 'verified_at'],
      ...['phases', 'phases[].name', 'phases[].duration_ms'],
    ],
  },
  restore_backup: {
    takes: [
      ...['backup_id', 'target_time', 'dry_run', 'mode', 'tables'],
      ...['confirm_token', 'idempotency_key'],
    ],
    answers: [
      ...['restore_status', 'tables_restored', 'duration_ms', 'restore_id', 'database', 'rows'],
      ...['recovered_to.time', 'recovered_to.lsn', 'next_commit_at', 'warnings'],
      ...['full', 'segments', 'barriers', 'bytes', 'estimated_ms'].map((name) => `plan.${name}`),
    ],
  },
  discard_restore: {
    takes: ['restore_id', 'confirm_token'],
    answers: ['discarded', 'database'],
  },
  get_job: { takes: ['job_id', 'wait_ms'], answers: JOB },
  cancel_job: { takes: ['job_id'], answers: JOB },
  run_maintenance: {
    takes: ['dry_run', 'idempotency_key'],
    answers: [...REPORT, 'status', 'job_id'],
  },
  decide_recommendation: {
    takes: ['recommendation_id', 'decision', 'reason', 'confirm_token'],
    answers: ['status', 'result'],
  },
  cancel_backend: {
    takes: ['pid', 'connected_at', 'terminate', 'confirm_token'],
    answers: ['pid', 'cancelled', 'terminated'],
  },
  read_resource: { takes: ['uri'], answers: [] },
  query_database: {
    takes: ['sql', 'params', 'limit', 'restore_id'],
    answers: [
      ...['columns', 'columns[].name', 'columns[].type', 'rows', 'row_count', 'truncated'],
      ...['duration_ms', 'warning'],
    ],
  },
  analyze_query: {
    takes: ['query', 'params', 'analyze', 'try_on'],
    answers: [
      ...['execution_plan', 'suggestions', 'estimated_improvement', 'findings', 'findings[].rule'],
      ...['findings[].node', 'findings[].evidence', 'findings[].advice', 'indexes'],
      ...['indexes[].create_sql', 'indexes[].drop_sql', 'indexes[].why', 'indexes[].replaces'],
      ...['indexes[].method', 'indexes[].cost_before', 'indexes[].cost_after'],
      ...['indexes[].ms_before', 'indexes[].ms_after', 'indexes[].size_bytes'],
      ...['indexes[].write_overhead', 'statement_class'],
    ],
  },
  optimize_tables: {
    takes: ['tables', 'operations', 'idempotency_key'],
    answers: [
      ...['tables_optimized', 'space_reclaimed', 'duration_ms', 'tables', 'tables[].name'],
      ...['tables[].operation', 'tables[].before', 'tables[].before.size_bytes'],
      ...['tables[].before.dead_rows', 'tables[].after', 'tables[].after.size_bytes'],
      ...['tables[].after.dead_rows', 'tables[].reclaimed_bytes', 'tables[].reusable_bytes'],
      'tables[].skipped',
    ],
  },
  update_statistics: {
    takes: ['tables', 'idempotency_key'],
    answers: ['updated', 'duration_ms', 'tables', 'tables[].name', 'tables[].skipped'],
  },
  list_events: { takes: ['types', 'after', 'limit', 'wait_ms'], answers: EVENT_LIST },
}

const SLOW_QUERIES = [
  ...['query', 'queryid', 'avg_time_ms', 'calls', 'total_time_ms', 'rows', 'hit_rate'].map(
    (field) => `queries[].${field}`,
  ),
  ...['share_of_total', 'temp_bytes', 'first_seen', 'trend'].map((field) => `queries[].${field}`),
  ...['since', 'complete', 'unavailable_reason'],
]

const RESOURCES: Readonly<
  Record<string, { takes: readonly string[]; answers: readonly string[] }>
> = {
  'db/status': {
    takes: [],
    answers: [
      'status',
      'reasons',
      'findings',
      'findings.critical',
      'findings.warning',
      'findings.info',
      'postgresql',
      'postgresql.engine',
      'postgresql.since',
      'redis',
      'redis.engine',
      'redis.since',
      'connection_pool',
      'replication_lag',
      'object_store',
      'object_store.status',
      'object_store.reason',
      'last_backup',
      'last_backup.at',
      'last_backup.backup_id',
      'last_backup.covered_until',
      'last_backup.rpo_seconds',
      'last_backup.verified_at',
      'schema_version',
      'uptime_seconds',
    ],
  },
  'db/findings': {
    takes: ['severity'],
    answers: [
      'status',
      ...['check', 'severity', 'object', 'title', 'evidence', 'threshold', 'since'].map(
        (field) => `findings[].${field}`,
      ),
      'findings[].trend',
      'findings[].next_step',
      'findings[].tool',
      'passed[].check',
      'passed[].value',
      'passed[].threshold',
      'unknown[].check',
      'unknown[].reason',
    ],
  },
  'db/metrics': {
    takes: ['timeframe', 'series'],
    answers: [
      ...['timeframe', 'from', 'to', 'step_seconds', 'series', 'summary', 'gaps', 'unavailable'],
    ],
  },
  'db/locks': {
    takes: [],
    answers: [
      'blocked',
      'longest_wait_ms',
      ...['pid', 'application_name', 'state', 'wait_event', 'transaction_age_ms', 'wait_ms'].map(
        (field) => `trees[].${field}`,
      ),
      'trees[].lock',
      'trees[].query',
      'trees[].next_step',
      'trees[].blocks',
    ],
  },
  'db/performance/slow-queries': { takes: ['threshold_ms', 'limit'], answers: SLOW_QUERIES },
  'db/slow-queries': { takes: ['threshold_ms', 'limit'], answers: SLOW_QUERIES },
  'db/performance/tables': {
    takes: ['limit', 'cursor'],
    answers: [
      ...['name', 'size', 'size_bytes', 'rows', 'index_hit_rate', 'cache_hit_rate'].map(
        (field) => `tables[].${field}`,
      ),
      ...['dead_rows', 'bloat', 'last_vacuum', 'last_analyze', 'sequential_scans'].map(
        (field) => `tables[].${field}`,
      ),
      'tables[].growth_bytes_per_day',
      'next_cursor',
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
      ...['patterns', 'indicators', 'sentiment', 'news'].flatMap((type) =>
        ['keys', 'hits', 'misses'].map((figure) => `redis_info.by_cache_type.${type}.${figure}`),
      ),
    ],
  },
  'db/migrations/status': {
    takes: [],
    answers: [
      'current_version',
      'pending_migrations',
      'pending_migrations[].version',
      'pending_migrations[].name',
      'pending_migrations[].description',
      'problems',
      'problems[].problem',
      'problems[].next_step',
    ],
  },
  'db/migrations/history': {
    takes: ['limit', 'cursor'],
    answers: [
      'migrations',
      ...[
        'version',
        'name',
        'applied_at',
        'duration_ms',
        'direction',
        'applied_by',
        'checksum',
      ].map((field) => `migrations[].${field}`),
      'next_cursor',
    ],
  },
  'cache/keys': {
    takes: ['pattern', 'limit', 'cursor'],
    answers: ['keys', 'total_matching', 'complete', 'next_cursor'],
  },
  'cache/entries/{key}': {
    takes: ['key'],
    answers: ['key', 'cache_type', 'value', 'cached_by', 'cached_at', 'ttl_seconds', 'built_from'],
  },
  prices: {
    takes: ['symbol', 'timeframe', 'since', 'until', 'stored_since', 'limit', 'cursor'],
    answers: [
      'items',
      ...[
        ...['symbol', 'timeframe', 'ts', 'ends_at', 'open', 'high', 'low', 'close', 'volume'],
        ...['atr_14', 'sma_20', 'revision', 'recorded_at'],
      ].map((field) => `items[].${field}`),
      'next_cursor',
    ],
  },
  patterns: {
    takes: [
      ...['symbol', 'pattern_type', 'timeframe', 'status', 'since', 'until', 'stored_since'],
      ...['limit', 'cursor'],
    ],
    answers: [
      'items',
      ...[
        ...['pattern_id', 'symbol', 'pattern_type', 'timeframe', 'direction', 'confidence'],
        ...['detected_at', 'price', 'has_catalyst', 'catalyst_type', 'alignment_score', 'status'],
        ...['success', 'method', 'move_bps', 'minutes', 'position_id', 'reason', 'updated_at'],
      ].map((field) => `items[].${field}`),
      'next_cursor',
    ],
  },
  'patterns/statistics': {
    takes: ['pattern_type', 'timeframe', 'limit', 'cursor'],
    answers: [
      'items',
      'items[].pattern_type',
      'items[].timeframe',
      'items[].catalyst',
      'items[].n',
      'items[].wins',
      'items[].rate',
      'items[].ci_low',
      'items[].ci_high',
      'items[].shrunk',
      'next_cursor',
    ],
  },
  signals: {
    takes: [
      'account_id',
      'symbol',
      'status',
      'signal_type',
      'min_confidence',
      'since',
      'until',
      'stored_since',
      'limit',
      'cursor',
    ],
    answers: ['items', ...SIGNAL.map((field) => `items[].${field}`), 'next_cursor'],
  },
  'signals/{signal_id}': {
    takes: ['signal_id'],
    answers: [
      ...SIGNAL,
      ...['status_reason', 'filled_quantity', 'fills', 'catalyst_type', 'catalyst_score'],
      ...['news_ids', 'patterns', 'patterns[].pattern_type', 'patterns[].pattern_id'],
      ...['indicators', 'risk_parameters', 'market_state', 'updated_at'],
    ],
  },
  news: {
    takes: [
      ...['symbol', 'source', 'since', 'until', 'catalyst_type', 'min_score'],
      ...['stored_since', 'limit', 'cursor'],
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
  'db/sync/status': {
    takes: [],
    answers: [
      'catalyst_outcomes.pending_updates',
      'catalyst_outcomes.last_sync',
      'source_metrics.pending_calculations',
      'source_metrics.last_update',
      'pattern_outcomes',
      'has_pending',
    ],
  },
  'news/sources': {
    takes: ['source', 'tier', 'stored_since', 'limit', 'cursor'],
    answers: [
      'sources[].source_name',
      'sources[].tier',
      'sources[].reliability',
      'sources[].ci_low',
      'sources[].ci_high',
      'sources[].n_eff',
      'sources[].accuracy_rate',
      'sources[].totals',
      'next_cursor',
    ],
  },
  positions: {
    takes: ['account_id', 'status', 'outcome', 'closed_since', ...LIST],
    answers: [...POSITION.map((field) => `items[].${field}`), 'next_cursor'],
  },
  trades: {
    takes: ['account_id', 'side', 'signal_id', ...LIST],
    answers: ['items[].trade_id', 'items[].symbol', 'items[].fill_price', 'next_cursor'],
  },
  'db/backups/latest': {
    takes: [],
    answers: [
      ...BACKUP.map((field) => `latest_full.${field}`),
      ...BACKUP.map((field) => `latest_incremental.${field}`),
      ...['covered_until', 'oldest_restorable', 'rpo_seconds'],
      ...['backup_id', 'level', 'at'].map((field) => `last_verified.${field}`),
      ...['at', 'restore_ms', 'valid'].map((field) => `last_drill.${field}`),
      ...['state', 'lag_bytes', 'retained_bytes', 'budget_bytes', 'last_segment_at', 'reason'].map(
        (field) => `log.${field}`,
      ),
      ...['store.status', 'store.reason'],
      ...['at', 'kind', 'reason'].map((field) => `barriers[].${field}`),
    ],
  },
  'db/backups/history': {
    takes: ['type', 'days', 'limit', 'cursor'],
    answers: [
      ...BACKUP.map((field) => `backups[].${field}`),
      ...['type', 'status', 'verified_at', 'verified_level', 'duration_ms', 'error'].map(
        (field) => `backups[].${field}`,
      ),
      'next_cursor',
    ],
  },
  'db/backups/restores': {
    takes: [],
    answers: [
      ...['restore_id', 'database', 'backup_id', 'recovered_to', 'created_at', 'expires_at'],
      'size_bytes',
    ].map((field) => `restores[].${field}`),
  },
  'db/backups/row': { takes: ['table', 'key', 'at'], answers: ['row', 'changed_at'] },
  'db/backups/changes': {
    takes: ['table', 'key', 'from', 'to', 'limit', 'cursor'],
    answers: [
      ...['lsn', 'committed_at', 'operation', 'key', 'old', 'new', 'transaction_id'].map(
        (field) => `changes[].${field}`,
      ),
      'next_cursor',
    ],
  },
  'db/schema': { takes: ['table'], answers: [] },
  'jobs/{job_id}': { takes: ['job_id'], answers: JOB },
  'assistant/reports/latest': { takes: [], answers: REPORT },
  'assistant/reports': {
    takes: ['limit', 'cursor'],
    answers: [
      'reports[].report_id',
      'reports[].at',
      'reports[].verdict',
      'reports[].actions',
    ].concat('reports[].findings', 'next_cursor'),
  },
  'assistant/recommendations': {
    takes: ['status', 'limit', 'cursor'],
    answers: [
      ...['recommendation_id', 'action', 'tool', 'arguments', 'reason', 'evidence'],
      ...['created_at', 'expires_at', 'status'],
    ].map((field) => `recommendations[].${field}`),
  },
  'assistant/actions': {
    takes: ['limit', 'cursor'],
    answers: ['decision', 'why', 'before', 'after', 'outcome'].map((field) => `actions[].${field}`),
  },
  events: { takes: ['types', 'after', 'limit'], answers: EVENT_LIST },
  'events/{type}': { takes: ['type', 'after', 'limit'], answers: EVENT_LIST },
}

const EVENT_NAMES = [
  'db.transaction',
  'db.error',
  'db.session.expired',
  'job.finished',
  'sync.completed',
  'migration.applied',
  'db.schema.changed',
  'cache.invalidation',
  'cache.memory.high',
  'backup.completed',
  'backup.failed',
  'backup.verified',
  'db.performance.degraded',
  'replication.lag',
  'assistant.report',
  'assistant.action',
]

const PROMPT_NAMES = [
  'database_health',
  'daily_maintenance',
  'investigate_slow_queries',
  'backup_review',
  'incident_triage',
]

const registry = describedRegistry()

test('nothing is served that the contract does not name', () => {
  expect([...registry.tools.keys()].sort()).toEqual(Object.keys(TOOLS).sort())
  expect(registry.resources.map(({ path }) => path).sort()).toEqual(Object.keys(RESOURCES).sort())
  expect(Object.keys(EVENTS).sort()).toEqual([...EVENT_NAMES].sort())
  expect(registry.promptList.map(({ name }) => name).sort()).toEqual([...PROMPT_NAMES].sort())
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
