import { sql } from '../../../platform/postgres/sql.js'
import { restorableFingerprint } from '../capture/fingerprint.sql.js'

/** What is wrong, as a sentence without its end; no row when nothing is. */
export interface Finding {
  readonly wrong: string
}

/** Indexes that cannot be used; that of a partitioned table may lack partitions. Constraints held when they were made. */
export const brokenObjects = () => sql<Finding>`
  select format('the index %s cannot be used', indexrelid::regclass) as wrong
  from pg_index
  join pg_class on pg_class.oid = indexrelid
  where not indisvalid and relkind = 'i'`

/** The schema as it is now, as this release words it. */
export const schemaNow = () => sql<{ version_num: number; fingerprint: string }>`
  select
    current_setting('server_version_num')::int as version_num,
    ${restorableFingerprint()} as fingerprint`

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
