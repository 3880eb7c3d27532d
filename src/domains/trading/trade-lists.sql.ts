import type { PageKey } from '../../lib/page.js'
import { sql } from '../../platform/postgres/sql.js'
import type { PositionItem, TradeItem } from './trades.schemas.js'

/** Filters of lists; null does not filter. */
export interface OfAccount {
  readonly account_id: string | null
  readonly symbol: string | null
  readonly since: string | null
  readonly until: string | null
  readonly stored_since: string | null
  readonly limit: number
  readonly after: PageKey | null
}

const afterKey = ([at = null, id = null]: readonly (string | null)[]) => [at, id] as const

/** Positions, the newest opened first. */
export const selectPositions = (
  query: OfAccount & {
    readonly status: string | null
    readonly outcome: string | null
    readonly closed_since: string | null
  },
) => {
  const [at, id] = afterKey(query.after ?? [])
  return sql<PositionItem>`
    select
      p.position_id,
      p.direction,
      p.status,
      trim_scale(p.qty_open)::text as qty_open,
      trim_scale(round(
        case
          when p.qty_open > 0 then p.entry_cost / p.qty_open
          else p.entry_notional / p.qty_total
        end, 6))::text as avg_entry_price,
      trim_scale(p.realized_pnl)::text as realized_pnl,
      trim_scale(p.fees)::text as fees,
      trim_scale(p.realized_pnl - p.fees)::text as net_pnl,
      p.account_id,
      s.symbol,
      trim_scale(p.qty_total)::text as qty_total,
      p.opened_at,
      p.closed_at,
      p.trading_date,
      p.outcome,
      trim_scale(p.net_return_bps)::text as net_return_bps,
      p.exit_reason,
      p.opening_signal_id,
      p.entry_catalyst,
      p.entry_news_id,
      p.learned_at,
      p.no_evidence_reason
    from catalyst.positions p
    join catalyst.securities s on s.security_id = p.security_id
    where (${query.account_id}::text is null or p.account_id = ${query.account_id}::text)
      and (${query.symbol}::text is null or s.symbol = ${query.symbol}::text)
      and (${query.status}::text is null or p.status = ${query.status}::text)
      and (${query.outcome}::text is null or p.outcome = ${query.outcome}::text)
      and (${query.since}::timestamptz is null or p.opened_at >= ${query.since}::timestamptz)
      and (${query.until}::timestamptz is null or p.opened_at < ${query.until}::timestamptz)
      and (
        ${query.closed_since}::timestamptz is null
        or (p.status = 'closed' and p.closed_at >= ${query.closed_since}::timestamptz)
      )
      and (
        ${query.stored_since}::timestamptz is null
        or p.updated_at >= ${query.stored_since}::timestamptz
      )
      and (
        ${id}::text is null
        or (p.opened_at, p.position_id) < (${at}::timestamptz, ${id}::text)
      )
    order by p.opened_at desc, p.position_id desc
    limit ${query.limit + 1}::int`
}

/** Fills, the newest filled first. */
export const selectTrades = (
  query: OfAccount & { readonly side: string | null; readonly signal_id: string | null },
) => {
  const [at, id] = afterKey(query.after ?? [])
  return sql<TradeItem>`
    select
      t.trade_id,
      t.account_id,
      t.execution_id,
      t.order_id,
      t.signal_id,
      s.symbol,
      t.side,
      trim_scale(t.quantity)::text as quantity,
      t.order_type,
      trim_scale(t.fill_price)::text as fill_price,
      trim_scale(t.fees)::text as fees,
      t.fill_time,
      t.entry_catalyst,
      t.entry_news_id,
      t.is_late,
      steps.positions
    from catalyst.trade_executions t
    join catalyst.securities s on s.security_id = t.security_id
    cross join lateral (
      select
        json_agg(json_build_object(
          'position_id', f.position_id,
          'effect', f.effect,
          'quantity', trim_scale(f.quantity)::text,
          'realized_pnl', trim_scale(f.realized_pnl)::text,
          'fees', trim_scale(f.fees)::text,
          'net_pnl', trim_scale(f.realized_pnl - f.fees)::text
        ) order by f.effect) as positions
      from catalyst.position_fills f
      where f.trade_id = t.trade_id
    ) steps
    where (${query.account_id}::text is null or t.account_id = ${query.account_id}::text)
      and (${query.symbol}::text is null or s.symbol = ${query.symbol}::text)
      and (${query.side}::text is null or t.side = ${query.side}::text)
      and (${query.signal_id}::text is null or t.signal_id = ${query.signal_id}::text)
      and (${query.since}::timestamptz is null or t.fill_time >= ${query.since}::timestamptz)
      and (${query.until}::timestamptz is null or t.fill_time < ${query.until}::timestamptz)
      and (
        ${query.stored_since}::timestamptz is null
        or t.recorded_at >= ${query.stored_since}::timestamptz
      )
      and (
        ${id}::text is null
        or (t.fill_time, t.trade_id) < (${at}::timestamptz, ${id}::text)
      )
    order by t.fill_time desc, t.trade_id desc
    limit ${query.limit + 1}::int`
}
