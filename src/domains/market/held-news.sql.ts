import { type Statement, sql } from '../../platform/postgres/sql.js'

/** What is to be done with a story when the transaction that holds it commits. */
export interface HeldRow {
  readonly news_id: string
  readonly is_new: boolean
  readonly deduplicate: boolean
  readonly repeats: number
  readonly mentioned_security_id: number | null
  /** An earlier telling of the story; null where there is none. */
  readonly first_told_at: string | null
  readonly first_headline: string | null
  readonly first_keywords: readonly string[] | null
}

/** Notes stories to be settled; `then` is run in the same round trip. */
export const holdStories = (rows: readonly HeldRow[], then: Statement<never>) => sql`
  with held as (
    insert into catalyst.news_held (
      news_id, is_new, deduplicate, repeats, mentioned_security_id,
      first_told_at, first_headline, first_keywords)
    select h.news_id, h.is_new, h.deduplicate, h.repeats, h.mentioned_security_id,
      h.first_told_at, h.first_headline, h.first_keywords
    from json_to_recordset(${JSON.stringify(rows)}::json) as h (
      news_id text, is_new boolean, deduplicate boolean, repeats int,
      mentioned_security_id int, first_told_at timestamptz, first_headline text,
      first_keywords text[])
  )
  ${then}`

/** A held story with what settling it takes. */
export interface TakenRow extends Omit<HeldRow, 'first_told_at'> {
  readonly first_told_ms: number | null
  readonly source_id: number
  readonly source_tier: number
  readonly security_id: number | null
  readonly symbol: string | null
  readonly headline: string
  readonly norm: string
  readonly story_hash: number
  readonly published_ms: number
  readonly keywords: readonly string[]
  /** False where every statement of the transaction sees one snapshot. */
  readonly sees_commits: boolean
}

const heldStories = (held: Statement<never>) => sql<TakenRow>`
  select
    t.news_id,
    t.is_new,
    t.deduplicate,
    t.repeats,
    t.mentioned_security_id,
    floor(extract(epoch from t.first_told_at) * 1000)::float8 as first_told_ms,
    t.first_headline,
    t.first_keywords,
    a.source_id,
    a.source_tier,
    a.security_id,
    s.symbol,
    a.headline,
    a.headline_norm as norm,
    a.story_hash,
    floor(extract(epoch from a.published_at) * 1000)::float8 as published_ms,
    a.keywords,
    current_setting('transaction_isolation') = 'read committed' as sees_commits
  from ${held} t
  join catalyst.news_articles a using (news_id)
  left join catalyst.securities s using (security_id)
  order by t.held_id`

/** Reads what this transaction holds, in the order it came. */
export const readHeld = () => heldStories(sql`catalyst.news_held`)

/** Takes what this transaction holds, in the order it came. */
export const takeHeld = () => sql<TakenRow>`
  with taken as (
    delete from catalyst.news_held
    returning held_id, news_id, is_new, deduplicate, repeats, mentioned_security_id,
      first_told_at, first_headline, first_keywords
  )
  ${heldStories(sql`taken`)}`

/** A new story that must not repeat another one of its source. */
export interface OwnRow {
  readonly source_id: number
  readonly norm: string
  readonly story_hash: number
  readonly published_at: string
}

/** Whether somebody else has stored one of these stories, or one that it repeats. */
export const areKnown = (stories: readonly OwnRow[], ownIds: readonly string[]) => sql<{
  known: boolean
}>`
  select exists (
    select
    from json_to_recordset(${JSON.stringify(stories)}::json)
      as o (source_id int, norm text, story_hash int, published_at timestamptz)
    join catalyst.news_articles a
      on a.story_hash = o.story_hash
      and a.published_at between o.published_at - interval '24 hours'
        and o.published_at + interval '24 hours'
      and a.source_id = o.source_id
      and a.headline_norm = o.norm
    where a.news_id <> all (${ownIds}::text[])
  ) as known`
