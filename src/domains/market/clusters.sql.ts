import { preparedIf, sql } from '../../platform/postgres/sql.js'
import type { ClusterRow, SourceShare } from './cluster-figures.js'

/** A time in which stories of a security are of interest. */
export interface WindowRow {
  readonly security_id: number
  readonly since: string
  readonly until: string
}

/** The words of a security's stories of one window in brief: equally long lists joined by commas. */
export interface OutlineRow {
  readonly security_id: number
  readonly news_ids: string
  readonly source_ids: string
  readonly word_bits: string
  readonly word_counts: string
}

/**
 * What is needed to rule stories out, and no more: a busy symbol has a thousand stories in two days.
 * `limit` is the bound on the work for one that has more; the latest count.
 */
export const findOutlines = (windows: readonly WindowRow[], hot: boolean) =>
  preparedIf(
    hot,
    'news_outlines',
    sql<OutlineRow>`
      select w.security_id, a.*
      from json_to_recordset(${JSON.stringify(windows)}::json)
        as w (security_id int, since timestamptz, until timestamptz)
      cross join lateral (
        select
          string_agg(s.news_id, ',') as news_ids,
          string_agg(s.source_id::text, ',') as source_ids,
          string_agg(s.word_bits::text, ',') as word_bits,
          string_agg(s.word_count::text, ',') as word_counts
        from (
          select n.news_id, n.source_id, n.word_bits, n.word_count
          from catalyst.news_articles n
          where n.security_id = w.security_id
            and n.published_at between w.since and w.until + interval '24 hours'
            and coalesce(n.first_told_at, n.published_at) between w.since and w.until
          order by n.published_at desc
          limit 5000
        ) s
      ) a
      where a.news_ids is not null`,
  )

/** A stored story as clusters see it: as its source told it first. */
export interface MemberRow {
  readonly news_id: string
  readonly security_id: number
  readonly source_id: number
  readonly source_tier: number
  readonly headline: string
  readonly norm: string
  readonly published_ms: number
  readonly keywords: readonly string[]
  readonly cluster_id: string | null
  readonly thread_id: string | null
  readonly confirmed_after: number | null
}

const memberColumns = sql.trusted(`
    a.news_id,
    a.security_id,
    a.source_id,
    a.source_tier,
    coalesce(a.first_headline, a.headline) as headline,
    a.headline_norm as norm,
    floor(extract(epoch from coalesce(a.first_told_at, a.published_at)) * 1000)::float8
      as published_ms,
    coalesce(a.first_keywords, a.keywords) as keywords,
    a.cluster_id,
    c.thread_id,
    (
      select min(f.delay_minutes)::float8
      from catalyst.news_confirmations f
      where f.news_id = a.news_id
    ) as confirmed_after`)

/** The stored stories that could not be ruled out. */
export const selectMembers = (newsIds: readonly string[]) => sql<MemberRow>`
  select ${memberColumns}
  from catalyst.news_articles a
  left join catalyst.narrative_clusters c using (cluster_id)
  where a.news_id = any (${newsIds}::text[])`

/**
 * As many further stories of a thread are read, the latest ones. A thread is longer only where one
 * template tells of a company every day; then its older stories stay where they are.
 */
export const MAX_THREAD = 2_000
/** As many are read of all threads of one call. */
export const MAX_READ = 50_000

/** The stories of threads, except those that are known. */
export const selectThreads = (threadIds: readonly string[], knownIds: readonly string[]) =>
  sql<MemberRow>`
  select m.*
  from unnest(${threadIds}::text[]) as t (thread_id)
  cross join lateral (
    select ${memberColumns}
    from catalyst.narrative_clusters c
    join catalyst.news_articles a using (cluster_id)
    where c.thread_id = t.thread_id
      and a.news_id <> all (${knownIds}::text[])
    order by a.published_at desc, a.news_id
    limit ${MAX_THREAD}::int
  ) m
  limit ${MAX_READ}::int`

/** What each source has told in these clusters, without the stories that were read. */
export const selectShares = (clusterIds: readonly string[], readIds: readonly string[]) =>
  sql<SourceShare>`
  select
    a.cluster_id,
    a.source_id,
    min(a.source_tier)::int as source_tier,
    count(distinct a.news_id)::int as articles,
    floor(extract(epoch from min(coalesce(a.first_told_at, a.published_at))) * 1000)::float8
      as first_ms,
    floor(extract(epoch from max(coalesce(a.first_told_at, a.published_at))) * 1000)::float8
      as last_ms,
    coalesce(array_agg(distinct k.word) filter (where k.word is not null), '{}') as keywords
  from catalyst.news_articles a
  left join lateral unnest(coalesce(a.first_keywords, a.keywords)) as k (word) on true
  where a.cluster_id = any (${clusterIds}::text[])
    and a.news_id <> all (${readIds}::text[])
  group by 1, 2`

/** Writes the figures of touched clusters; answers those that are new or have others now. */
export const saveClusters = (rows: readonly ClusterRow[]) => sql<{ cluster_id: string }>`
  insert into catalyst.narrative_clusters as c (
    cluster_id, thread_id, security_id, first_published, last_published, keywords,
    article_count, source_count, avg_tier, coordination_score)
  select
    r.cluster_id, r.thread_id, r.security_id, r.first_published, r.last_published, r.keywords,
    r.article_count, r.source_count, r.avg_tier, r.coordination_score
  from json_populate_recordset(
    null::catalyst.narrative_clusters, ${JSON.stringify(rows)}::json) r
  order by r.cluster_id
  on conflict (cluster_id) do update set
    thread_id = excluded.thread_id,
    first_published = excluded.first_published,
    last_published = excluded.last_published,
    keywords = excluded.keywords,
    article_count = excluded.article_count,
    source_count = excluded.source_count,
    avg_tier = excluded.avg_tier,
    coordination_score = excluded.coordination_score,
    changed_at = excluded.changed_at
  where (
    c.thread_id, c.first_published, c.last_published, c.keywords, c.article_count, c.source_count,
    c.avg_tier, c.coordination_score
  ) is distinct from (
    excluded.thread_id, excluded.first_published, excluded.last_published, excluded.keywords,
    excluded.article_count, excluded.source_count, excluded.avg_tier, excluded.coordination_score
  )
  returning c.cluster_id`

/** Removes clusters that no story is in any more. */
export const removeEmpty = (clusterIds: readonly string[]) => sql`
  delete from catalyst.narrative_clusters c
  where c.cluster_id = any (${clusterIds}::text[])
    and not exists (
      select from catalyst.news_articles a where a.cluster_id = c.cluster_id
    )`

/** A confirmation as stored. */
export interface ConfirmationRow {
  readonly news_id: string
  readonly confirmed_by_news_id: string
  readonly delay_minutes: number
}

/** Stores confirmations. */
export const addConfirmations = (rows: readonly ConfirmationRow[]) => sql`
  insert into catalyst.news_confirmations (news_id, confirmed_by_news_id, delay_minutes)
  select c.news_id, c.confirmed_by_news_id, c.delay_minutes
  from json_to_recordset(${JSON.stringify(rows)}::json)
    as c (news_id text, confirmed_by_news_id text, delay_minutes numeric)
  on conflict do nothing`

/** What confirms any of these stories. */
export const selectConfirmations = (newsIds: readonly string[]) => sql<ConfirmationRow>`
  select f.news_id, f.confirmed_by_news_id, f.delay_minutes::float8 as delay_minutes
  from catalyst.news_confirmations f
  where f.news_id = any (${newsIds}::text[])`

/** Takes confirmations back. */
export const removeConfirmations = (rows: readonly ConfirmationRow[]) => sql`
  delete from catalyst.news_confirmations f
  using json_to_recordset(${JSON.stringify(rows)}::json)
    as c (news_id text, confirmed_by_news_id text)
  where f.news_id = c.news_id
    and f.confirmed_by_news_id = c.confirmed_by_news_id`

/** Keeps the earliest confirmations of each story, whatever order they came in; answers the others. */
export const trimConfirmations = (newsIds: readonly string[], kept: number) => sql<
  Omit<ConfirmationRow, 'delay_minutes'>
>`
  delete from catalyst.news_confirmations f
  using (
    select
      c.news_id,
      c.confirmed_by_news_id,
      row_number() over (
        partition by c.news_id
        order by c.delay_minutes, c.confirmed_by_news_id
      ) as place
    from catalyst.news_confirmations c
    where c.news_id = any (${newsIds}::text[])
  ) p
  where p.place > ${kept}::int
    and f.news_id = p.news_id
    and f.confirmed_by_news_id = p.confirmed_by_news_id
  returning f.news_id, f.confirmed_by_news_id`
