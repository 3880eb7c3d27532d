import type { MarketState } from '../../lib/market-clock.js'
import { sourceKey } from '../../lib/source-name.js'
import { prepared, preparedIf, sql } from '../../platform/postgres/sql.js'
import type { CatalystType } from './catalyst-categories.js'
import type { Direction } from './expected-direction.js'

/** What one call locks, so that no concurrent call can add the same story unseen. */
export interface LockKeys {
  readonly classes: readonly number[]
  readonly keys: readonly number[]
}

/** A source or a security found by the name a client gave; `id` is null when it is not known. */
export interface NameRow {
  readonly kind: 'source' | 'security'
  readonly name: string
  readonly id: number | null
  readonly tier: number | null
}

/** Takes the locks in the order given: `count` makes PostgreSQL evaluate them one by one. */
export const takeLocks = ({ classes, keys }: LockKeys) => sql`
  select count(pg_advisory_xact_lock(k.class, k.key)::text) as n
  from unnest(${classes}::int[], ${keys}::int[]) as k (class, key)`

/**
 * Locks, then finds sources and securities by name. The locks are taken here and the stories read by
 * later statements: under READ COMMITTED only those see what a transaction waited for has committed.
 */
export const lockAndResolve = (
  locks: LockKeys,
  names: readonly string[],
  symbols: readonly string[],
) =>
  prepared(
    'news_resolve',
    sql<NameRow>`
      with locked as materialized (${takeLocks(locks)})
      select 'source' as kind, n.name, t.source_id as id, t.tier
      from locked
      cross join unnest(${names}::text[], ${names.map(sourceKey)}::text[]) as n (name, name_key)
      left join catalyst.source_aliases a on a.alias = n.name_key
      left join catalyst.news_sources s on s.name_key = n.name_key
      left join catalyst.news_sources t on t.source_id = coalesce(a.source_id, s.source_id)
      union all
      select 'security', n.symbol, s.security_id, null
      from unnest(${symbols}::text[]) as n (symbol)
      left join catalyst.securities s on s.symbol = n.symbol`,
  )

/** Adds names nobody knew; in a fixed order, because two calls may add the same ones. */
export const addNames = (names: readonly string[], symbols: readonly string[]) => sql`
  with sources as (
    insert into catalyst.news_sources (name, name_key)
    select n.name, n.name_key
    from unnest(${names}::text[], ${names.map(sourceKey)}::text[]) as n (name, name_key)
    order by n.name_key collate "C", n.name collate "C"
    on conflict do nothing
  )
  insert into catalyst.securities (symbol)
  select n.symbol
  from unnest(${symbols}::text[]) as n (symbol)
  order by n.symbol collate "C"
  on conflict do nothing`

/** Those of these characters, each its UTF-8 in hexadecimal, that the encoding of the database lacks. */
export const lackingCharacters = (characters: readonly string[]) => sql<{ utf8: string }>`
  select c.utf8
  from unnest(${characters}::text[]) as c (utf8)
  where getdatabaseencoding() <> 'UTF8'
    and not catalyst.has_character(decode(c.utf8, 'hex'))`

/** The isolation level of the transaction. */
export const isolation = () => sql<{ transaction_isolation: string }>`show transaction_isolation`

/** The symbols of companies. */
export const symbolsOf = (securityIds: readonly number[]) => sql<{
  readonly security_id: number
  readonly symbol: string
}>`
  select s.security_id, s.symbol
  from catalyst.securities s
  where s.security_id = any (${securityIds}::int[])`

/** Stories that articles may repeat: those of one source and headline have one hash. */
export interface StoryLookup {
  readonly hashes: readonly number[]
  readonly since: string
  readonly until: string
  /**
   * True for a single story, whose statements are prepared. A batch is planned each time: a plan made
   * while the table was small would be ruinous for ten thousand rows.
   */
  readonly hot: boolean
}

/** A stored story that an article may repeat. */
export interface StoryRow {
  readonly news_id: string
  readonly norm: string
  readonly story_hash: number
  readonly source_id: number
  readonly source_tier: number
  readonly security_id: number | null
  readonly published_ms: number
  readonly first_told_ms: number
  readonly collected_ms: number
  readonly market_state: MarketState
  readonly catalyst_type: CatalystType | null
  readonly catalyst_score: number
  readonly expected_direction: Direction
  readonly cluster_id: string | null
}

/** Probes news_articles_story once per hash. */
export const findStories = ({ hashes, since, until, hot }: StoryLookup) =>
  preparedIf(
    hot,
    'news_stories',
    sql<StoryRow>`
      select
        a.news_id,
        a.headline_norm as norm,
        a.story_hash,
        a.source_id,
        a.source_tier,
        a.security_id,
        floor(extract(epoch from a.published_at) * 1000)::float8 as published_ms,
        floor(extract(epoch from coalesce(a.first_told_at, a.published_at)) * 1000)::float8
          as first_told_ms,
        floor(extract(epoch from a.collected_at) * 1000)::float8 as collected_ms,
        a.market_state,
        a.catalyst_type,
        a.catalyst_score::float8 as catalyst_score,
        a.expected_direction,
        a.cluster_id
      from catalyst.news_articles a
      where a.story_hash = any (${hashes}::int[])
        and a.published_at between ${since}::timestamptz and ${until}::timestamptz`,
  )

/** A stored story to be marked. */
export interface TouchRow extends Partial<FirstRow> {
  readonly news_id: string
  readonly repeats: number
  /** Null where it stays in the cluster it is in. */
  readonly cluster_id: string | null
  /** Whether nobody else tells the same any more. */
  readonly is_alone: boolean
}

/** How its source told a story first. */
export interface FirstRow {
  readonly first_told_at: string
  readonly first_headline: string
  readonly first_keywords: readonly string[]
  readonly word_bits: number
  readonly word_count: number
}

/** Counts repeats on stories, notes earlier tellings, puts them into their clusters, and notes when that was. */
export const touchArticles = (rows: readonly TouchRow[]) => sql`
  update catalyst.news_articles a
  set
    update_count = a.update_count + t.repeats,
    cluster_id = case when not t.is_alone then coalesce(t.cluster_id, a.cluster_id) end,
    first_told_at = coalesce(t.first_told_at, a.first_told_at),
    first_headline = coalesce(t.first_headline, a.first_headline),
    first_keywords = coalesce(t.first_keywords, a.first_keywords),
    word_bits = coalesce(t.word_bits, a.word_bits),
    word_count = coalesce(t.word_count, a.word_count),
    changed_at = clock_timestamp()
  from json_to_recordset(${JSON.stringify(rows)}::json)
    as t (news_id text, repeats int, cluster_id text, is_alone boolean,
      first_told_at timestamptz, first_headline text, first_keywords text[],
      word_bits bigint, word_count smallint)
  where a.news_id = t.news_id`

/** A company that a stored story turned out to be about as well. */
export interface MentionRow {
  readonly news_id: string
  readonly security_id: number
}

/** Notes further companies of stories. */
export const addMentions = (rows: readonly MentionRow[]) => sql`
  insert into catalyst.news_securities (news_id, security_id, role)
  select m.news_id, m.security_id, 'mentioned'
  from json_to_recordset(${JSON.stringify(rows)}::json) as m (news_id text, security_id int)
  on conflict do nothing`

/** What a call adds to the totals of one source. */
export interface ActivityRow {
  readonly source_id: number
  articles: number
  duplicates: number
  /** Below 0 where trusted sources turn out to have told more before it than after. */
  confirmed: number
  /** How long before trusted sources it told the confirmed ones. */
  lead_minutes: number
}

/** Appends to the totals of sources. */
export const addActivity = (rows: readonly ActivityRow[]) => sql`
  insert into catalyst.source_activity (source_id, articles, duplicates, confirmed, lead_minutes)
  select u.source_id, u.articles, u.duplicates, u.confirmed, u.lead_minutes
  from json_to_recordset(${JSON.stringify(rows)}::json)
    as u (source_id int, articles int, duplicates int, confirmed int, lead_minutes numeric)
  order by u.source_id`

/** The columns of an insert into news_articles, in the order of its COPY lines. */
export const ARTICLE_COLUMNS = [
  'news_id',
  'headline',
  'headline_norm',
  'story_hash',
  'word_bits',
  'word_count',
  'source_id',
  'source_tier',
  'security_id',
  'url',
  'snippet',
  'published_at',
  'collected_at',
  'market_state',
  'catalyst_type',
  'keywords',
  'urgency',
  'expected_direction',
  'catalyst_score',
  'score_version',
  'update_count',
  'cluster_id',
  'metadata',
] as const

/** A story as news_articles stores it. */
export type ArticleRow = Readonly<Record<(typeof ARTICLE_COLUMNS)[number], unknown>>

const columns = sql.trusted(ARTICLE_COLUMNS.join(', '))

/** Opens the COPY of many stories. */
export const copyArticles = () => sql`copy catalyst.news_articles (${columns}) from stdin`

/**
 * Whoever holds the locks makes others wait. The one thing that can hold it up is a transaction that
 * a client holds open with the very same story, and that is not waited for much longer than it takes
 * to commit.
 */
const PATIENCE = '500ms'

/** Shortens waiting from here to the end of the transaction. */
export const losePatience = () =>
  sql`select set_config('lock_timeout', ${PATIENCE}::text, true) as lock_timeout`

/** Inserts stories and appends the totals in the same round trip. */
export const insertArticles = (
  { rows, hot }: { readonly rows: readonly ArticleRow[]; readonly hot: boolean },
  activity: readonly ActivityRow[],
) =>
  preparedIf(
    hot,
    'news_insert',
    sql`
    with patience as materialized (${losePatience()}),
    articles as (
      insert into catalyst.news_articles (${columns})
      select ${columns}
      from patience
      cross join json_populate_recordset(
        null::catalyst.news_articles, ${JSON.stringify(rows)}::json)
    )
    ${addActivity(activity)}`,
  )

/** Inserts stories except those that are there: the number inserted tells. */
export const addUnlessKnown = (rows: readonly ArticleRow[]) => sql`
  insert into catalyst.news_articles (${columns})
  select ${columns}
  from json_populate_recordset(null::catalyst.news_articles, ${JSON.stringify(rows)}::json)
  on conflict (news_id) do nothing`
