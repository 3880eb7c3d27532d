import { sql } from '../../../platform/postgres/sql.js'

/** What is wrong, as a sentence without its end; no row when nothing is. */
export interface Finding {
  readonly wrong: string
}

/** Constraints that do not hold, indexes that cannot be used, and sequences that would give out a value again. */
export const brokenObjects = () => sql<Finding>`
  select format('the constraint %I of %s does not hold', conname, conrelid::regclass) as wrong
  from pg_constraint
  where contype in ('f', 'c') and not convalidated
  union all
  select format('the index %s cannot be used', indexrelid::regclass)
  from pg_index
  where not indisvalid`

/** Whether a database is the product's own, at a state of its schema that knows trading. */
export const hasTrading = () => sql<{ found: boolean }>`
  select to_regclass('catalyst.position_fills') is not null
    and to_regclass('catalyst.signal_news') is not null as found`

/** The product's own rules over its rows, which no constraint can state. */
export const brokenRules = () => sql<Finding>`
  select format('%s positions are not the sum of their fills', count(*)) as wrong
  from catalyst.positions p
  left join lateral (
    select
      coalesce(sum(f.quantity) filter (where f.effect = 'open'), 0) as opened,
      coalesce(sum(f.quantity) filter (where f.effect = 'close'), 0) as closed,
      coalesce(sum(f.realized_pnl), 0) as realized,
      coalesce(sum(f.fees), 0) as fees
    from catalyst.position_fills f
    where f.position_id = p.position_id
  ) f on true
  where p.qty_open <> f.opened - f.closed
    or p.qty_total <> f.opened
    or p.realized_pnl <> f.realized
    or p.fees <> f.fees
  having count(*) > 0
  union all
  select format('%s closed positions have something open', count(*))
  from catalyst.positions
  where status = 'closed' and qty_open <> 0
  having count(*) > 0
  union all
  select format('%s cited stories do not exist', count(*))
  from (
    select news_id from catalyst.signal_news
    union all
    select entry_news_id from catalyst.trade_executions where entry_news_id is not null
    union all
    select entry_news_id from catalyst.positions where entry_news_id is not null
  ) cited
  where not exists (select from catalyst.news_articles n where n.news_id = cited.news_id)
  having count(*) > 0`

/** The number of rows of a table. */
export const countRows = (schema: string, name: string) => sql<{ rows: number }>`
  select count(*) as rows
  from only ${sql.id(schema)}.${sql.id(name)}`
