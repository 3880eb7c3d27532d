import { machinerySql as sql } from '../../platform/postgres/sql.js'

/** Months of these, given as `2024-12`, that a partitioned table has no partition for. */
export const missingMonths = (months: readonly string[]) => sql<{ month: string }>`
  select m.month
  from unnest(${months}::text[]) as m (month)
  where to_regclass('catalyst.price_bars_' || replace(m.month, '-', '')) is null
    or to_regclass('catalyst.technical_indicators_' || replace(m.month, '-', '')) is null
  order by m.month`

/** Makes the partitions of these months in both tables. */
export const createMonths = (months: readonly string[]) => sql<{ created: number }>`
  select coalesce(sum(catalyst.ensure_month_partitions(t.parent, m.start, m.start)), 0)::int as created
  from (
    select (month || '-01')::timestamp at time zone 'UTC' as start
    from unnest(${months}::text[]) as given (month)
    order by month
  ) m
  cross join (values ('price_bars'), ('technical_indicators')) as t (parent)`
