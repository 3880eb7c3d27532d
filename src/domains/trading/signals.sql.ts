import type { Timeframe } from '../../lib/timeframes.js'
import { prepared, type Statement, sql } from '../../platform/postgres/sql.js'
import type { AccountFacts } from './risk-checks.js'
import type { SignalDetails, SignalFilter, SignalItem, StatusAnswer } from './signals.schemas.js'
import type { StoredAtr } from './stored-atr.js'

/** Registers types of patterns; in a fixed order, because two calls may add the same ones. */
export const addPatternTypes = (types: readonly string[]) => sql`
  insert into catalyst.pattern_types (pattern_type)
  select p.pattern_type
  from unnest(${types}::text[]) as p (pattern_type)
  where not exists (
    select from catalyst.pattern_types t where t.pattern_type = p.pattern_type
  )
  order by p.pattern_type collate "C"
  on conflict do nothing`

/**
 * Locks the entries of an account until the transaction ends. The account is read by a later statement:
 * under READ COMMITTED only that sees what a writer waited for has committed, and with an older snapshot
 * PostgreSQL refuses the lock itself.
 */
export const lockAccount = (accountId: string) =>
  prepared(
    'signal_lock_account',
    sql`
      insert into catalyst.trading_accounts as a (account_id)
      values (${accountId}::text)
      on conflict (account_id) do update set entries = a.entries + 1`,
  )

/** What a signal is about, and the New York day it is made on. */
export interface FactsKey {
  readonly security_id: number
  readonly account_id: string
  readonly news_ids: readonly string[]
  readonly day_start: string
  readonly day_end: string
  /** Where an ATR is looked for, and after when its bar must have begun; empty when none is needed. */
  readonly atr_bars: readonly { readonly timeframe: Timeframe; readonly since: string }[]
  readonly now: string
}

/** What is stored about a signal's account, its stories and its security. */
export interface FactsRow extends AccountFacts {
  readonly known_news: readonly string[]
  readonly tick_size: string | null
  readonly atrs: readonly StoredAtr[]
}

/**
 * One row. Open positions are found by positions_one_open, pending entries by trading_signals_entries,
 * today's fills by trade_executions_account and position_fills_trade.
 */
export const readFacts = (key: FactsKey) =>
  prepared(
    'signal_facts',
    sql<FactsRow>`
      with open as materialized (
        select p.security_id, p.direction
        from catalyst.positions p
        where p.account_id = ${key.account_id}::text
          and p.status = 'open'
      )
      select
        array(
          select a.news_id
          from catalyst.news_articles a
          where a.news_id = any (${key.news_ids}::text[])
        ) as known_news,
        (
          select trim_scale(s.tick_size)::text
          from catalyst.securities s
          where s.security_id = ${key.security_id}::int
        ) as tick_size,
        p.open_positions,
        p.direction,
        e.pending_entries,
        e.pending_positions,
        e.pending_signal_id,
        d.trades_today,
        d.result_today,
        (${storedAtrs(key)}) as atrs
      from (
        select
          count(*)::int as open_positions,
          max(o.direction) filter (where o.security_id = ${key.security_id}::int) as direction
        from open o
      ) p
      cross join (
        select
          count(*)::int as pending_entries,
          count(*) filter (
            where g.security_id not in (select o.security_id from open o)
          )::int as pending_positions,
          max(g.signal_id) filter (where g.security_id = ${key.security_id}::int)
            as pending_signal_id
        from catalyst.trading_signals g
        where g.account_id = ${key.account_id}::text
          and g.status = 'pending'
          and g.intent = 'entry'
          and g.expires_at > ${key.now}::timestamptz
      ) e
      cross join (
        select
          count(distinct coalesce(t.order_id, t.signal_id, t.trade_id))::int as trades_today,
          trim_scale(coalesce(sum(f.result), 0))::text as result_today
        from catalyst.trade_executions t
        left join lateral (
          select sum(f.realized_pnl - f.fees) as result
          from catalyst.position_fills f
          where f.trade_id = t.trade_id
        ) f on true
        where t.account_id = ${key.account_id}::text
          and t.fill_time >= ${key.day_start}::timestamptz
          and t.fill_time < ${key.day_end}::timestamptz
      ) d`,
  )

/** The newest ATR of each timeframe: one probe of the key for each. */
const storedAtrs = ({ security_id, atr_bars, now }: FactsKey): Statement<never> =>
  sql`
    select coalesce(json_agg(json_build_object(
      'timeframe', f.timeframe,
      'atr', trim_scale(b.atr_14)::text,
      'started_ms', floor(extract(epoch from b.ts) * 1000)::int8
    )), '[]')
    from unnest(
      ${atr_bars.map(({ timeframe }) => timeframe)}::text[],
      ${atr_bars.map(({ since }) => since)}::timestamptz[]
    ) as f (timeframe, since)
    cross join lateral (
      select t.ts, t.atr_14
      from catalyst.technical_indicators t
      where t.security_id = ${security_id}::int
        and t.timeframe = f.timeframe
        and t.ts > f.since
        and t.ts <= ${now}::timestamptz
        and t.atr_14 > 0
      order by t.ts desc
      limit 1
    ) b`

/** The columns of an insert into trading_signals. */
const COLUMNS = [
  'signal_id',
  'account_id',
  'security_id',
  'signal_type',
  'intent',
  'confidence',
  'catalyst_type',
  'catalyst_score',
  'catalyst_context',
  'technical_context',
  'entry_price',
  'atr',
  'stop_price',
  'target_1',
  'target_2',
  'shares',
  'risk_parameters',
  'status',
  'reasons',
  'market_state',
  'created_at',
  'updated_at',
  'expires_at',
] as const

/** A signal as trading_signals stores it. */
export type SignalRow = Readonly<Record<(typeof COLUMNS)[number], unknown>> & {
  readonly signal_id: string
  readonly security_id: number
}

/** What a signal rests on. */
export interface Evidence {
  readonly news_ids: readonly string[]
  readonly patterns: readonly string[]
  /** Detections since then may be meant by a pattern's name. */
  readonly detected_since: string
}

const columns = sql.trusted(COLUMNS.join(', '))

/** Stores a signal with its evidence. Foreign keys are checked when all of it is there. */
export const insertSignal = (row: SignalRow, { news_ids, patterns, detected_since }: Evidence) =>
  prepared(
    'signal_insert',
    sql`
      with types as (${addPatternTypes(patterns)}),
      signal as (
        insert into catalyst.trading_signals (${columns})
        select ${columns}
        from json_populate_record(null::catalyst.trading_signals, ${JSON.stringify(row)}::json)
      ),
      news as (
        insert into catalyst.signal_news (signal_id, news_id)
        select ${row.signal_id}::text, n.news_id
        from unnest(${news_ids}::text[]) as n (news_id)
      )
      insert into catalyst.signal_patterns (signal_id, pattern_type, pattern_id)
      select ${row.signal_id}::text, p.pattern_type, d.pattern_id
      from unnest(${patterns}::text[]) as p (pattern_type)
      left join lateral (
        select d.pattern_id
        from catalyst.pattern_detections d
        where d.security_id = ${row.security_id}::int
          and d.pattern_type = p.pattern_type
          and d.detected_at >= ${detected_since}::timestamptz
        order by d.detected_at desc, d.pattern_id desc
        limit 1
      ) d on true`,
  )

/** The status that counts: nobody has to write down that time has passed. */
const effectiveStatus = (now: string) => sql`
  case
    when s.status = 'pending' and s.expires_at <= ${now}::timestamptz then 'expired'
    else s.status
  end`

/** Where a signal stands. */
export interface StatusRow {
  readonly symbol: string
  readonly stored: StatusAnswer['status']
  readonly status: StatusAnswer['status']
  readonly reason: string | null
}

/** Locks a signal against other changes, not against what refers to it. */
export const lockSignal = (signalId: string, now: string) => sql<StatusRow>`
  select
    c.symbol,
    s.status as stored,
    ${effectiveStatus(now)} as status,
    s.status_reason as reason
  from catalyst.trading_signals s
  join catalyst.securities c on c.security_id = s.security_id
  where s.signal_id = ${signalId}::text
  for no key update of s`

/** A new status. */
export interface NewStatus {
  readonly signal_id: string
  readonly status: StatusAnswer['status']
  readonly reason: string | null
  /** In the server's words; empty where none are needed. */
  readonly reasons: readonly string[]
}

/** Sets the status of a signal that was locked. */
export const setStatus = ({ signal_id, status, reason, reasons }: NewStatus) => sql`
  update catalyst.trading_signals s
  set
    status = ${status}::text,
    status_reason = ${reason}::text,
    reasons = s.reasons || ${reasons}::text[],
    updated_at = clock_timestamp()
  where s.signal_id = ${signal_id}::text`

const itemColumns = (now: string) => sql`
    s.signal_id,
    s.account_id,
    c.symbol,
    s.signal_type,
    s.intent,
    s.confidence::float8 as confidence,
    ${effectiveStatus(now)} as status,
    s.reasons,
    trim_scale(s.shares)::text as shares,
    trim_scale(s.entry_price)::text as entry_price,
    trim_scale(s.stop_price)::text as stop_price,
    trim_scale(s.target_1)::text as target_1,
    trim_scale(s.target_2)::text as target_2,
    s.created_at,
    s.expires_at`

/**
 * Signals, newest first: by trading_signals_created, those of one symbol by trading_signals_security,
 * those of one account by trading_signals_account.
 */
export const listSignals = (filter: SignalFilter, now: string) => sql<SignalItem>`
  select ${itemColumns(now)}
  from catalyst.trading_signals s
  join catalyst.securities c on c.security_id = s.security_id
  where true${conditions(filter, now)}
  order by s.created_at desc, s.signal_id desc
  limit ${filter.limit + 1}::int`

/** The fills that executed a signal: of its account, on its side. */
const fillsOfSignal = sql.trusted(`
    select coalesce(sum(t.quantity), 0) as filled_quantity, count(*)::int as fills
    from catalyst.trade_executions t
    where t.signal_id = s.signal_id
      and t.account_id = s.account_id
      and t.side = lower(s.signal_type)`)

/** A signal in full; `stored` is its status before time is asked. */
export type DetailedSignal = SignalDetails & { readonly stored: StatusAnswer['status'] }

/** One signal in full; `reasons` are those it was rejected for. */
export const findSignal = (signalId: string, now: string) => sql<DetailedSignal>`
  select
    ${itemColumns(now)},
    s.status as stored,
    s.status_reason,
    s.catalyst_type,
    s.catalyst_score::float8 as catalyst_score,
    array(
      select n.news_id
      from catalyst.signal_news n
      where n.signal_id = s.signal_id
      order by n.news_id
    ) as news_ids,
    (
      select coalesce(
        json_agg(
          json_build_object('pattern_type', p.pattern_type, 'pattern_id', p.pattern_id)
          order by p.pattern_type
        ),
        '[]'
      )
      from catalyst.signal_patterns p
      where p.signal_id = s.signal_id
    ) as patterns,
    s.risk_parameters,
    s.technical_context -> 'indicators' as indicators,
    s.market_state,
    s.updated_at,
    trim_scale(f.filled_quantity)::text as filled_quantity,
    f.fills
  from catalyst.trading_signals s
  join catalyst.securities c on c.security_id = s.security_id
  cross join lateral (${fillsOfSignal}) f
  where s.signal_id = ${signalId}::text`

/** Only what was asked for, so that the plan can use what there is an index for. */
function conditions(filter: SignalFilter, now: string): Statement<never> {
  const { account_id, symbol, status, signal_type, min_confidence } = filter
  const { since, until, stored_since, cursor } = filter
  const parts = [
    account_id && sql`s.account_id = ${account_id}::text`,
    symbol &&
      sql`s.security_id = (
        select w.security_id from catalyst.securities w where w.symbol = ${symbol}::text
      )`,
    status && ofStatus(status, now),
    signal_type && sql`s.signal_type = ${signal_type}::text`,
    min_confidence !== undefined && sql`s.confidence >= ${min_confidence}::numeric`,
    since && sql`s.created_at >= ${since}::timestamptz`,
    stored_since && sql`s.updated_at >= ${stored_since}::timestamptz`,
    until && sql`s.created_at < ${until}::timestamptz`,
    cursor && sql`(s.created_at, s.signal_id) < (${cursor[0]}::timestamptz, ${cursor[1]}::text)`,
  ]
  return parts.reduce<Statement<never>>(
    (all, part) => (part ? sql`${all}\n    and ${part}` : all),
    sql``,
  )
}

function ofStatus(status: StatusAnswer['status'], now: string): Statement<never> {
  if (status === 'pending') {
    return sql`s.status = 'pending' and s.expires_at > ${now}::timestamptz`
  }
  if (status !== 'expired') return sql`s.status = ${status}::text`
  return sql`(
    s.status = 'expired' or (s.status = 'pending' and s.expires_at <= ${now}::timestamptz)
  )`
}
