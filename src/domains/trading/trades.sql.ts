import { prepared, sql } from '../../platform/postgres/sql.js'
import type { TradeOutcome } from './position.js'
import type { TradeAnswer, TradeExecution } from './trades.schemas.js'

/** The book of an account and security: whoever writes its position locks it first. */
export interface BookRow {
  readonly security_id: number
  readonly last_fill_time: string | null
}

/**
 * Locks the book, if there is one. The position is read by a later statement: under READ COMMITTED
 * only that sees what a writer waited for has committed.
 */
export const lockBook = (accountId: string, symbol: string) =>
  prepared(
    'trades.lock-book',
    sql<BookRow>`
      select b.security_id, b.last_fill_time
      from catalyst.securities s
      join catalyst.position_books b
        on b.account_id = ${accountId}::text and b.security_id = s.security_id
      where s.symbol = ${symbol}::text
      for no key update of b`,
  )

/** Opens the book of an account and security, unless somebody else does. */
export const addBook = (accountId: string, securityId: number) => sql`
  insert into catalyst.position_books (account_id, security_id)
  values (${accountId}::text, ${securityId}::int)
  on conflict do nothing`

/** The figures of a position as PostgreSQL has them. */
export interface FiguresRow {
  readonly position_id: string
  readonly direction: 'long' | 'short'
  readonly status: 'open' | 'closed'
  readonly qty_open: string
  readonly qty_total: string
  readonly entry_cost: string
  readonly entry_notional: string
  readonly realized_pnl: string
  readonly fees: string
  readonly outcome: TradeOutcome | null
  readonly net_return_bps: string | null
}

/** What a fill meets: the open position, its own earlier telling, and what it refers to. */
export interface SurroundingsRow {
  readonly position: FiguresRow | null
  readonly known_trade_id: string | null
  /** Whether the fill that has this execution id is this one. */
  readonly is_same: boolean
  readonly known_is_late: boolean
  /** What was answered about it. */
  readonly known_answer: FirstAnswer | null
  /** Filled before a fill that had been recorded already. */
  readonly is_late: boolean
  readonly signal_security_id: number | null
  readonly signal_account_id: string | null
  readonly signal_type: string | null
  /** When the fill happened: whoever reports one late acted in time all the same. */
  readonly signal_status: string | null
  /** Its size; null where it has none or that is unknown. */
  readonly signal_shares: string | null
  /** What was filled of it by its account, on its side. */
  readonly signal_filled: string
  readonly has_news: boolean
}

/** What is answered about a fill, and again whenever it is sent again. */
type FirstAnswer = Pick<TradeAnswer, 'position' | 'closed_position' | 'warnings'>

/** Numbers go into the row as text, so that none loses a digit on the way. */
export const selectSurroundings = (book: BookRow, fill: TradeExecution) => {
  const securityId = book.security_id
  const { account_id, execution_details: details, catalyst_tracking: tracking } = fill
  return prepared(
    'trades.surroundings',
    sql<SurroundingsRow>`
      select
        case when p.position_id is not null then json_build_object(
          'position_id', p.position_id,
          'direction', p.direction,
          'status', p.status,
          'qty_open', p.qty_open::text,
          'qty_total', p.qty_total::text,
          'entry_cost', p.entry_cost::text,
          'entry_notional', p.entry_notional::text,
          'realized_pnl', p.realized_pnl::text,
          'fees', p.fees::text,
          'outcome', null,
          'net_return_bps', null
        ) end as position,
        e.trade_id as known_trade_id,
        coalesce(
          e.security_id = ${securityId}::int
            and e.side = ${fill.side}::text
            and e.quantity = ${fill.quantity}::numeric
            and e.order_type = ${details.order_type}::text
            and e.fill_price = ${details.fill_price}::numeric
            and e.fees = ${fill.fees}::numeric
            and e.fill_time = ${details.fill_time}::timestamptz
            and e.order_id is not distinct from ${fill.order_id ?? null}::text
            and e.signal_id is not distinct from ${fill.signal_id ?? null}::text
            and e.entry_catalyst is not distinct from ${tracking?.entry_catalyst ?? null}::text
            and e.entry_news_id is not distinct from ${tracking?.entry_news_id ?? null}::text,
          false
        ) as is_same,
        coalesce(e.is_late, false) as known_is_late,
        e.answered as known_answer,
        coalesce(
          ${details.fill_time}::timestamptz < ${book.last_fill_time}::timestamptz,
          false
        ) as is_late,
        g.security_id as signal_security_id,
        g.account_id as signal_account_id,
        g.signal_type,
        case
          when g.status = 'pending' and g.expires_at <= ${details.fill_time}::timestamptz
            then 'expired'
          else g.status
        end as signal_status,
        g.shares as signal_shares,
        (
          select coalesce(sum(f.quantity), 0)
          from catalyst.trade_executions f
          where f.signal_id = g.signal_id
            and f.account_id = g.account_id
            and f.side = lower(g.signal_type)
        ) as signal_filled,
        n.news_id is not null as has_news
      from (values (true)) as one (row)
      left join catalyst.positions p
        on p.account_id = ${account_id}::text
          and p.security_id = ${securityId}::int
          and p.status = 'open'
      left join catalyst.trade_executions e
        on e.account_id = ${account_id}::text
          and e.execution_id = ${fill.execution_id ?? null}::text
      left join catalyst.trading_signals g on g.signal_id = ${fill.signal_id ?? null}::text
      left join catalyst.news_articles n
        on n.news_id = ${tracking?.entry_news_id ?? null}::text`,
  )
}

/** A position as a fill leaves it. */
export interface PositionChange extends FiguresRow {
  /** What the fill, or its part, did to it. */
  readonly effect: 'open' | 'close'
  readonly step_quantity: string
  readonly step_fees: string
  readonly step_pnl: string
  readonly exit_reason: string | null
}

/** A fill ready to be stored. */
export interface FillWrite {
  readonly trade_id: string
  readonly security_id: number
  readonly execution: TradeExecution
  readonly is_late: boolean
  /** In the order in which they happened: closing comes before opening reversed. */
  readonly changes: readonly PositionChange[]
  /** Whether a pending signal of the fill was acted upon. */
  readonly executes_signal: boolean
  readonly answer: FirstAnswer
}

/**
 * Stores the fill, the positions it leaves, and what it did to each, in one statement. An upsert
 * takes its rows one by one in their order, so a reversal has closed the old position before the
 * unique index on open ones sees the new one.
 */
export const storeFill = (write: FillWrite) => {
  const { execution: fill, security_id } = write
  const { execution_details: details, catalyst_tracking: tracking } = fill
  const opens = write.changes.some(({ effect }) => effect === 'open')
  return prepared(
    'trades.store',
    sql`
      with book as (
        update catalyst.position_books
        set
          fills = fills + 1,
          last_fill_time = greatest(last_fill_time, ${details.fill_time}::timestamptz),
          opened_from = least(opened_from, case when ${opens}::boolean
            then ${details.fill_time}::timestamptz end),
          opened_until = greatest(opened_until, case when ${opens}::boolean
            then ${details.fill_time}::timestamptz end)
        where account_id = ${fill.account_id}::text
          and security_id = ${security_id}::int
        returning fills
      ),
      changes as (
        select *
        from json_to_recordset(${JSON.stringify(write.changes)}::json) as c (
          position_id text, direction text, status text, qty_open numeric, qty_total numeric,
          entry_cost numeric, entry_notional numeric, realized_pnl numeric, fees numeric,
          outcome text, net_return_bps numeric, effect text, step_quantity numeric,
          step_fees numeric, step_pnl numeric, exit_reason text)
      ),
      stored as (
        insert into catalyst.positions as p (
          position_id, account_id, security_id, direction, status, qty_open, qty_total, entry_cost,
          entry_notional, realized_pnl, fees, outcome, net_return_bps, exit_reason, opened_at,
          closed_at, trading_date, opening_signal_id, entry_catalyst, entry_news_id)
        select
          c.position_id,
          ${fill.account_id}::text,
          ${security_id}::int,
          c.direction,
          c.status,
          c.qty_open,
          c.qty_total,
          c.entry_cost,
          c.entry_notional,
          c.realized_pnl,
          c.fees,
          c.outcome,
          c.net_return_bps,
          c.exit_reason,
          ${details.fill_time}::timestamptz,
          case when c.status = 'closed' then ${details.fill_time}::timestamptz end,
          (${details.fill_time}::timestamptz at time zone 'America/New_York')::date,
          case when c.effect = 'open' then ${fill.signal_id ?? null}::text end,
          case when c.effect = 'open' then ${tracking?.entry_catalyst ?? null}::text end,
          case when c.effect = 'open' then ${tracking?.entry_news_id ?? null}::text end
        from changes c
        on conflict (position_id) do update set
          status = excluded.status,
          qty_open = excluded.qty_open,
          qty_total = excluded.qty_total,
          entry_cost = excluded.entry_cost,
          entry_notional = excluded.entry_notional,
          realized_pnl = excluded.realized_pnl,
          fees = excluded.fees,
          outcome = excluded.outcome,
          net_return_bps = excluded.net_return_bps,
          exit_reason = excluded.exit_reason,
          -- A late fill may have opened it earlier than was known; a late exit ends it no sooner.
          opened_at = case
            when excluded.qty_total > p.qty_total then least(p.opened_at, excluded.opened_at)
            else p.opened_at
          end,
          trading_date = case
            when excluded.qty_total > p.qty_total then least(p.trading_date, excluded.trading_date)
            else p.trading_date
          end,
          closed_at = greatest(excluded.closed_at, case
            when excluded.closed_at is not null then p.opened_at
          end),
          opening_signal_id = coalesce(p.opening_signal_id, excluded.opening_signal_id),
          entry_catalyst = coalesce(p.entry_catalyst, excluded.entry_catalyst),
          entry_news_id = coalesce(p.entry_news_id, excluded.entry_news_id),
          updated_at = clock_timestamp()
      ),
      steps as (
        insert into catalyst.position_fills (
          position_id, trade_id, effect, quantity, fees, realized_pnl)
        select
          c.position_id, ${write.trade_id}::text, c.effect, c.step_quantity, c.step_fees, c.step_pnl
        from changes c
      ),
      signal as (
        update catalyst.trading_signals
        set status = 'executed', updated_at = clock_timestamp()
        where ${write.executes_signal}::boolean
          and signal_id = ${fill.signal_id ?? null}::text
          and status = 'pending'
      )
      insert into catalyst.trade_executions (
        trade_id, account_id, execution_id, order_id, signal_id, security_id, side, quantity,
        order_type, fill_price, fees, fill_time, entry_catalyst, entry_news_id, is_late, applied_seq,
        answered)
      select
        ${write.trade_id}::text,
        ${fill.account_id}::text,
        ${fill.execution_id ?? null}::text,
        ${fill.order_id ?? null}::text,
        ${fill.signal_id ?? null}::text,
        ${security_id}::int,
        ${fill.side}::text,
        ${fill.quantity}::numeric,
        ${details.order_type}::text,
        ${details.fill_price}::numeric,
        ${fill.fees}::numeric,
        ${details.fill_time}::timestamptz,
        ${tracking?.entry_catalyst ?? null}::text,
        ${tracking?.entry_news_id ?? null}::text,
        ${write.is_late}::boolean,
        b.fills,
        ${JSON.stringify(write.answer)}::jsonb
      from book b`,
  )
}
