import { sql } from '../../platform/postgres/sql.js'
import type { NewsDetails, NewsPage } from './news-reading.schemas.js'

/** Which stories are wanted; null where anything is. */
export interface NewsFilter {
  readonly security_id: number | null
  readonly source_id: number | null
  readonly since: string | null
  readonly until: string | null
  readonly stored_since: string | null
  readonly catalyst_type: string | null
  readonly min_score: number | null
  /** The last story of the page before. */
  readonly after: { readonly published_at: string; readonly news_id: string } | null
  readonly limit: number
}

/**
 * The statements here are planned with the values they are run with, so what is not asked for falls
 * away, and the indexes of what is asked for are found.
 */
const wanted = (filter: NewsFilter) => {
  const { published_at = null, news_id = null } = filter.after ?? {}
  return sql`
    (${filter.source_id}::int is null or a.source_id = ${filter.source_id}::int)
    and (${filter.since}::timestamptz is null or a.published_at >= ${filter.since}::timestamptz)
    and (${filter.until}::timestamptz is null or a.published_at < ${filter.until}::timestamptz)
    and (
      ${filter.stored_since}::timestamptz is null
      or greatest(a.collected_at, a.changed_at) >= ${filter.stored_since}::timestamptz
      or exists (
        select
        from catalyst.narrative_clusters c
        where c.cluster_id = a.cluster_id
          and c.changed_at >= ${filter.stored_since}::timestamptz
      )
    )
    and (${filter.catalyst_type}::text is null or a.catalyst_type = ${filter.catalyst_type}::text)
    and (${filter.min_score}::numeric is null or a.catalyst_score >= ${filter.min_score}::numeric)
    and (
      ${published_at}::timestamptz is null
      or (
        a.published_at <= ${published_at}::timestamptz
        and (a.published_at, a.news_id) < (${published_at}::timestamptz, ${news_id}::text)
      )
    )
    order by a.published_at desc, a.news_id desc
    limit ${filter.limit}::int`
}

const newest = (filter: NewsFilter) => sql`
  select a.news_id, a.published_at
  from catalyst.news_articles a
  where ${wanted(filter)}`

/** Those about a company and those that name it besides, each found by its own index. */
const newestOfSecurity = (filter: NewsFilter) => sql`
  (
    select a.news_id, a.published_at
    from catalyst.news_articles a
    where a.security_id = ${filter.security_id}::int
      and ${wanted(filter)}
  )
  union
  (
    select a.news_id, a.published_at
    from catalyst.news_securities m
    join catalyst.news_articles a on a.news_id = m.news_id
    where m.security_id = ${filter.security_id}::int
      and ${wanted(filter)}
  )
  order by published_at desc, news_id desc
  limit ${filter.limit}::int`

/** The cluster of a story nobody else has told is named after it, as persisting it answered. */
const itemColumns = sql.trusted(`
    a.news_id,
    a.headline,
    o.name as source,
    a.source_tier,
    s.symbol,
    a.published_at,
    a.collected_at,
    a.market_state,
    a.catalyst_type,
    a.catalyst_score::float8 as catalyst_score,
    a.expected_direction,
    a.keywords,
    a.urgency::float8 as urgency_score,
    a.update_count,
    coalesce(
      a.cluster_id,
      case when a.security_id is not null then replace(a.news_id, 'nws_', 'clu_') end
    ) as cluster_id,
    a.url`)

/** A page of stories, the newest first. */
export const listNews = (filter: NewsFilter) => sql<NewsPage['items'][number]>`
  select ${itemColumns}
  from (${filter.security_id === null ? newest(filter) : newestOfSecurity(filter)}) p
  join catalyst.news_articles a on a.news_id = p.news_id
  join catalyst.news_sources o on o.source_id = a.source_id
  left join catalyst.securities s on s.security_id = a.security_id
  order by p.published_at desc, p.news_id desc`

/** A story's own row. */
export type StoryRow = Omit<
  NewsDetails,
  'score_components' | 'symbols' | 'confirmed_by' | 'confirms' | 'cluster' | 'outcome'
> & { readonly published_ms: number; readonly collected_ms: number }

/** One story. */
export const findNews = (newsId: string) => sql<StoryRow>`
  select
    ${itemColumns},
    a.snippet,
    a.metadata ->> 'client_market_state' as client_market_state,
    a.score_version,
    floor(extract(epoch from a.published_at) * 1000)::float8 as published_ms,
    floor(extract(epoch from a.collected_at) * 1000)::float8 as collected_ms
  from catalyst.news_articles a
  join catalyst.news_sources o on o.source_id = a.source_id
  left join catalyst.securities s on s.security_id = a.security_id
  where a.news_id = ${newsId}::text`

/** The companies a story is about, the one it was stored for first. */
export const symbolsOf = (newsId: string) => sql<NewsDetails['symbols'][number]>`
  select s.symbol, max(n.role) as role
  from (
    select a.security_id, 'subject' as role
    from catalyst.news_articles a
    where a.news_id = ${newsId}::text
    union all
    select m.security_id, m.role
    from catalyst.news_securities m
    where m.news_id = ${newsId}::text
  ) n
  join catalyst.securities s on s.security_id = n.security_id
  group by s.symbol
  order by max(n.role) desc, s.symbol`

/** Confirmations of and by a story, in order of delay. */
export const confirmationsOf = (newsId: string) => sql<
  NewsDetails['confirms'][number] & { readonly is_confirmed_by: boolean }
>`
  select
    c.is_confirmed_by,
    a.news_id,
    o.name as source,
    a.source_tier,
    c.delay_minutes::float8 as delay_minutes
  from (
    select true as is_confirmed_by, f.confirmed_by_news_id as news_id, f.delay_minutes
    from catalyst.news_confirmations f
    where f.news_id = ${newsId}::text
    union all
    select false, f.news_id, f.delay_minutes
    from catalyst.news_confirmations f
    where f.confirmed_by_news_id = ${newsId}::text
  ) c
  join catalyst.news_articles a on a.news_id = c.news_id
  join catalyst.news_sources o on o.source_id = a.source_id
  order by c.delay_minutes, a.news_id`

/** The figures of a cluster; no row while it has one story. */
export const findCluster = (clusterId: string) => sql<NonNullable<NewsDetails['cluster']>>`
  select
    c.cluster_id,
    c.first_published as first_published_at,
    c.last_published as last_published_at,
    c.keywords,
    c.article_count,
    c.source_count,
    c.avg_tier::float8 as avg_tier,
    c.coordination_score::float8 as coordination_score
  from catalyst.narrative_clusters c
  where c.cluster_id = ${clusterId}::text`

/** What became of a story. */
export const findOutcome = (newsId: string) => sql<NonNullable<NewsDetails['outcome']>>`
  select
    n.was_accurate,
    round(n.w_win, 9)::float8 as w_win,
    round(n.w_loss, 9)::float8 as w_loss,
    n.n_positions,
    n.move_1h::float8 as move_1h_bps,
    n.move_24h::float8 as move_24h_bps,
    n.status,
    n.reason,
    n.as_of
  from catalyst.news_outcomes n
  where n.news_id = ${newsId}::text`
