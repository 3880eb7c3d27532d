import { sourceKey } from '../../lib/source-name.js'
import { sql } from '../../platform/postgres/sql.js'

/** Sources by the names a client gave: whole names or aliases; `source_id` is null for unknown ones. */
export const findSources = (names: readonly string[]) => sql<{ source_id: number | null }>`
  select coalesce(a.source_id, s.source_id) as source_id
  from unnest(${names.map(sourceKey)}::text[]) with ordinality as n (name_key, place)
  left join catalyst.source_aliases a on a.alias = n.name_key
  left join catalyst.news_sources s on s.name_key = n.name_key
  order by n.place`

/** Which sources to compute. */
export interface SourceSelection {
  /** Null for all. */
  readonly ids: readonly number[] | null
  /** Not only those whose evidence or whose parameters have changed. */
  readonly all: boolean
  readonly params_version: string
}

/** The next sources to compute, in the order of their ids. */
export const nextSources = (
  { ids, all, params_version }: SourceSelection,
  afterId: number,
  limit: number,
) => sql<{ source_id: number }>`
  select s.source_id
  from catalyst.news_sources s
  where s.source_id > ${afterId}::int
    and (${ids}::int[] is null or s.source_id = any (${ids}::int[]))
    and (
      ${all}::boolean
      or exists (select from catalyst.source_changes c where c.source_id = s.source_id)
      or exists (select from catalyst.source_activity u where u.source_id = s.source_id)
      or exists (
        select
        from catalyst.source_metrics m
        where m.source_id = s.source_id
          and m.params_version is distinct from ${params_version}::text
      )
    )
  order by s.source_id
  limit ${limit}::int`

/** What is known of a source, before and after what was appended since is added to it. */
export interface FoldedRow {
  readonly source_id: number
  readonly source_name: string
  readonly w_win: number
  readonly w_loss: number
  readonly w_win_before: number
  readonly w_loss_before: number
  /** Null when it has not been computed yet. */
  readonly reliability_before: number | null
}

/**
 * Folds what was appended into the totals of each source. Totals are kept to the last digit of a share
 * and read with nine decimals, so that thirds of results are as much as whole ones. One statement, so one snapshot: what it
 * takes away is exactly what it adds, and with `recount` the evidence is that of the same instant.
 */
export const foldSources = (ids: readonly number[], recount: boolean) => sql<FoldedRow>`
  with activity as (
    delete from catalyst.source_activity
    where source_id = any (${ids}::int[])
    returning source_id, articles, duplicates, confirmed, lead_minutes
  ),
  changes as (
    delete from catalyst.source_changes
    where source_id = any (${ids}::int[])
    returning source_id, w_win, w_loss
  ),
  seen as (
    select
      source_id,
      sum(articles) as articles,
      sum(duplicates) as duplicates,
      sum(confirmed) as confirmed,
      sum(lead_minutes) as lead_minutes
    from activity
    group by source_id
  ),
  weighed as (
    select source_id, sum(w_win) as w_win, sum(w_loss) as w_loss
    from changes
    where not ${recount}::boolean
    group by source_id
    union all
    select
      a.source_id,
      coalesce(sum(e.weight) filter (where e.result = 'win'), 0),
      coalesce(sum(e.weight) filter (where e.result = 'loss'), 0)
    from catalyst.news_outcome_evidence e
    join catalyst.news_articles a on a.news_id = e.news_id
    where ${recount}::boolean
      and a.source_id = any (${ids}::int[])
    group by a.source_id
  ),
  totals as materialized (
    select
      s.source_id,
      s.name,
      coalesce(seen.articles, 0) as articles,
      coalesce(seen.duplicates, 0) as duplicates,
      coalesce(seen.confirmed, 0) as confirmed,
      coalesce(seen.lead_minutes, 0) as lead_minutes,
      coalesce(m.w_win, 0) as w_win_before,
      coalesce(m.w_loss, 0) as w_loss_before,
      m.reliability as reliability_before,
      coalesce(w.w_win, 0) + case when ${recount}::boolean then 0 else coalesce(m.w_win, 0) end
        as w_win,
      coalesce(w.w_loss, 0) + case when ${recount}::boolean then 0 else coalesce(m.w_loss, 0) end
        as w_loss
    from unnest(${ids}::int[]) as i (source_id)
    join catalyst.news_sources s on s.source_id = i.source_id
    left join catalyst.source_metrics m on m.source_id = s.source_id
    left join seen on seen.source_id = s.source_id
    left join weighed w on w.source_id = s.source_id
  ),
  stored as (
    insert into catalyst.source_metrics as m (
      source_id, articles, duplicates, confirmed, lead_minutes, w_win, w_loss, n_eff)
    select source_id, articles, duplicates, confirmed, lead_minutes, w_win, w_loss,
      round(w_win + w_loss, 9)
    from totals
    on conflict (source_id) do update set
      articles = m.articles + excluded.articles,
      duplicates = m.duplicates + excluded.duplicates,
      confirmed = m.confirmed + excluded.confirmed,
      lead_minutes = m.lead_minutes + excluded.lead_minutes,
      w_win = excluded.w_win,
      w_loss = excluded.w_loss,
      n_eff = excluded.n_eff
  )
  select
    source_id,
    name as source_name,
    round(w_win, 9)::float8 as w_win,
    round(w_loss, 9)::float8 as w_loss,
    round(w_win_before, 9)::float8 as w_win_before,
    round(w_loss_before, 9)::float8 as w_loss_before,
    reliability_before::float8 as reliability_before
  from totals
  order by source_id`

/** Figures of a source computed from its totals. */
export interface ComputedRow {
  readonly source_id: number
  readonly accuracy_rate: number | null
  readonly reliability: number
  readonly ci_low: number
  readonly ci_high: number
}

/** Stores the figures, and what they are on this New York day. */
export const storeFigures = (rows: readonly ComputedRow[], paramsVersion: string) => sql`
  with computed as (
    select *
    from json_to_recordset(${JSON.stringify(rows)}::json) as c (
      source_id int, accuracy_rate numeric, reliability numeric, ci_low numeric, ci_high numeric)
  ),
  stored as (
    update catalyst.source_metrics m
    set
      accuracy_rate = c.accuracy_rate,
      reliability = c.reliability,
      ci_low = c.ci_low,
      ci_high = c.ci_high,
      params_version = ${paramsVersion}::text,
      as_of = clock_timestamp()
    from computed c
    where m.source_id = c.source_id
    returning m.source_id, m.articles, m.duplicates, m.confirmed, m.w_win, m.w_loss,
      m.reliability, m.ci_low, m.ci_high
  )
  insert into catalyst.source_metrics_daily as d (
    source_id, day, articles, duplicates, confirmed, w_win, w_loss, reliability, ci_low, ci_high)
  select
    s.source_id,
    (now() at time zone 'America/New_York')::date,
    s.articles,
    s.duplicates,
    s.confirmed,
    round(s.w_win, 9),
    round(s.w_loss, 9),
    s.reliability,
    s.ci_low,
    s.ci_high
  from stored s
  on conflict (source_id, day) do update set
    articles = excluded.articles,
    duplicates = excluded.duplicates,
    confirmed = excluded.confirmed,
    w_win = excluded.w_win,
    w_loss = excluded.w_loss,
    reliability = excluded.reliability,
    ci_low = excluded.ci_low,
    ci_high = excluded.ci_high,
    as_of = clock_timestamp()`

/** A source as lists show it, without what follows from its weights. */
export interface SourceRow {
  readonly source_id: number
  readonly source_name: string
  readonly sort_name: string
  readonly tier: number
  readonly w_win: number
  readonly w_loss: number
  readonly articles: number
  readonly duplicates: number
  readonly confirmed: number
  readonly avg_lead_minutes: number | null
  readonly as_of: string | null
}

/** Filters and page of the sources. */
export interface SourceQuery {
  readonly source_ids: readonly number[] | null
  readonly tier: number | null
  readonly stored_since: string | null
  readonly after: readonly [name: string, id: string] | null
  readonly limit: number
}

/** Sources in the order of their names, with totals that include what is not folded yet. */
export const selectSources = ({ source_ids, tier, stored_since, after, limit }: SourceQuery) => {
  const [name = null, id = null] = after ?? []
  return sql<SourceRow>`
    select
      s.source_id,
      s.name as source_name,
      s.name_key as sort_name,
      s.tier,
      round(coalesce(m.w_win, 0), 9)::float8 as w_win,
      round(coalesce(m.w_loss, 0), 9)::float8 as w_loss,
      t.articles,
      t.duplicates,
      t.confirmed,
      case
        when m.confirmed > 0 then round(m.lead_minutes / m.confirmed, 3)::float8
      end as avg_lead_minutes,
      m.as_of
    from catalyst.news_sources s
    join catalyst.source_totals t on t.source_id = s.source_id
    left join catalyst.source_metrics m on m.source_id = s.source_id
    where (${source_ids}::int[] is null or s.source_id = any (${source_ids}::int[]))
      and (${tier}::int is null or s.tier = ${tier}::int)
      and (
        ${stored_since}::timestamptz is null
        or greatest(s.created_at, m.as_of) >= ${stored_since}::timestamptz
      )
      and (
        ${id}::int is null
        or (s.name_key, s.source_id) > (${name}::text collate "C", ${id}::int)
      )
    order by s.name_key, s.source_id
    limit ${limit + 1}::int`
}
