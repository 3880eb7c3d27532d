import { SCORE_VERSION } from './catalyst-score.js'
import type { ConfirmationRow, WindowRow } from './clusters.sql.js'
import { copyLine } from './copy-lines.js'
import { fnv1a } from './fnv.js'
import { gistOf } from './gist.js'
import { bodyOf } from './headline.js'
import type { HeldRow, OwnRow, TakenRow } from './held-news.sql.js'
import {
  type ActivityRow,
  ARTICLE_COLUMNS,
  type ArticleRow,
  type FirstRow,
  type MentionRow,
  type StoryLookup,
  type TouchRow,
} from './news.sql.js'
import { publishedAt } from './news-article.js'
import {
  type Clustering,
  type Confirmation,
  changedBy,
  earliest,
  type Member,
  SAME_STORY_WINDOW_MS,
} from './news-clusters.js'
import { type Fate, REPEAT_WINDOW_MS } from './news-repeats.js'
import { type FirstTelling, type Located, type NewStory, type Story, storyHash } from './story.js'
import { packBits, termBits } from './word-bits.js'

const instantText = (ms: number): string => new Date(ms).toISOString()

/** Where stories that these articles repeat are to be looked for. */
export function storyLookup(articles: readonly Located[], hot: boolean): StoryLookup {
  const hashes = new Set(articles.map(({ story_hash }) => story_hash))
  const first = articles[0]?.article.published_ms ?? 0
  const last = articles.at(-1)?.article.published_ms ?? 0
  return {
    hashes: [...hashes],
    since: instantText(first - REPEAT_WINDOW_MS),
    until: instantText(last + REPEAT_WINDOW_MS),
    hot,
  }
}

/** The times around new stories, per security, where they overlap joined into one. */
export function windowRows(stories: readonly Member[]): WindowRow[] {
  const windows = new Map<number, { since: number; until: number }[]>()
  for (const { security_id, published_ms } of stories) {
    const since = published_ms - SAME_STORY_WINDOW_MS
    const until = published_ms + SAME_STORY_WINDOW_MS
    const own = windows.get(security_id) ?? []
    const last = own.at(-1)
    if (last && since <= last.until) last.until = until
    else own.push({ since, until })
    windows.set(security_id, own)
  }
  return [...windows].flatMap(([security_id, own]) =>
    own.map(({ since, until }) => ({
      security_id,
      since: instantText(since),
      until: instantText(until),
    })),
  )
}

/** A new story as clusters see it; null without a security, for then it is compared with nothing. */
export const memberOf = (story: NewStory): Member | null =>
  story.security_id === null
    ? null
    : {
        news_id: story.news_id,
        security_id: story.security_id,
        source_id: story.source_id,
        source_tier: story.source_tier,
        gist: story.article.gist,
        bits: story.article.bits,
        published_ms: story.published_ms,
        keywords: story.article.keywords,
        is_stored: false,
        is_linked: false,
        rank: Number.POSITIVE_INFINITY,
        confirmed_after: null,
        thread_id: null,
        cluster_id: null,
      }

/** A new story as it is stored. */
export function articleRow(story: NewStory): ArticleRow {
  const { article } = story
  const { catalyst_indicators, headline, url, snippet } = article.given
  return {
    news_id: story.news_id,
    headline,
    headline_norm: article.norm,
    story_hash: storyHash(story.source_id, article.norm_hash),
    word_bits: packBits(article.bits),
    word_count: article.bits.count,
    source_id: story.source_id,
    source_tier: story.source_tier,
    security_id: story.security_id,
    url: url ?? null,
    snippet: snippet ?? null,
    published_at: publishedAt(article),
    collected_at: instantText(story.collected_ms),
    market_state: story.market_state,
    catalyst_type: story.catalyst_type,
    keywords: article.keywords,
    urgency: catalyst_indicators.urgency_score,
    expected_direction: story.expected_direction,
    catalyst_score: story.catalyst_score,
    score_version: SCORE_VERSION,
    update_count: story.repeats,
    cluster_id: story.cluster_id,
    metadata: metadataOf(story),
  }
}

/** The client's market state is kept where it differs from the server's. */
function metadataOf({ article, market_state }: NewStory): Record<string, unknown> {
  const client_market_state = article.given.catalyst_indicators.market_state
  if (client_market_state === undefined || client_market_state === market_state) return {}
  return { client_market_state }
}

/** Lines of a COPY, made one by one as it proceeds. */
export function* articleLines(stories: readonly NewStory[]): Generator<string> {
  for (const story of stories) {
    const row = articleRow(story)
    yield copyLine(ARTICLE_COLUMNS.map((column) => row[column]))
  }
}

/** Marks of stories, several of one story joined into one. */
class Marks {
  readonly #rows = new Map<string, TouchRow>()

  add(news_id: string, mark: Partial<TouchRow>): void {
    const known = this.#rows.get(news_id)
    const unmarked = { news_id, repeats: 0, cluster_id: null, is_alone: false }
    const repeats = (known?.repeats ?? 0) + (mark.repeats ?? 0)
    this.#rows.set(news_id, { ...unmarked, ...known, ...mark, repeats })
  }

  addChanges(clustering: Clustering, earlier: readonly FirstTelling[]): void {
    for (const { news_id, cluster_id } of changedBy(clustering)) {
      this.add(news_id, { cluster_id, is_alone: cluster_id === null })
    }
    for (const telling of earlier) this.add(telling.news_id, firstRow(telling))
  }

  /** In the order in which every call touches stories. */
  rows(): TouchRow[] {
    return [...this.#rows.values()].sort((a, b) => (a.news_id < b.news_id ? -1 : 1))
  }
}

/** Marks that say no more than that stories have changed. */
export function plainMarks(stories: Iterable<Pick<Member, 'news_id'>>): TouchRow[] {
  const marks = new Marks()
  for (const { news_id } of stories) marks.add(news_id, {})
  return marks.rows()
}

const firstRow = ({ published_ms, headline, keywords, bits }: FirstTelling): FirstRow => ({
  first_told_at: instantText(published_ms),
  first_headline: headline,
  first_keywords: keywords,
  word_bits: packBits(bits),
  word_count: bits.count,
})

/** Stored stories to be marked: repeated, sent for another company, linked to a new story, or all at once. */
export function touchRows(
  fates: readonly Fate[],
  clustering: Clustering,
  earlier: readonly FirstTelling[],
): TouchRow[] {
  const marks = new Marks()
  const stored = new Set<Story>()
  for (const { story, located } of fates) {
    if (story.article !== null) continue
    const isKnown = stored.has(story)
    stored.add(story)
    if (!isKnown && story.repeats > 0) marks.add(story.news_id, { repeats: story.repeats })
    if (isAboutAnother(story, located.security_id)) marks.add(story.news_id, {})
  }
  marks.addChanges(clustering, earlier)
  return marks.rows()
}

/** Whether a story that is about one company was sent for another. */
export const isAboutAnother = (story: Story, security_id: number | null): security_id is number =>
  security_id !== null && security_id !== story.security_id

/** Companies for which a known story was sent again. */
export const mentionRows = (fates: readonly Fate[]): MentionRow[] =>
  fates.flatMap(({ located: { security_id }, story }) =>
    isAboutAnother(story, security_id) ? [{ news_id: story.news_id, security_id }] : [],
  )

/** A confirmation as it is stored. */
export const confirmationRow = ({
  confirmed,
  by,
  delay_minutes,
}: Confirmation): ConfirmationRow => ({
  news_id: confirmed.news_id,
  confirmed_by_news_id: by.news_id,
  delay_minutes,
})

const NO_ACTIVITY = { articles: 0, duplicates: 0, confirmed: 0, lead_minutes: 0 }

/**
 * What the call adds to each source. The very same row sent again adds nothing: that says something
 * about the sender, not about the source.
 */
export function activityRows(
  fates: readonly Fate[],
  { confirmations, relinked }: Pick<Clustering, 'confirmations' | 'relinked'>,
): ActivityRow[] {
  const rows = new Map<number, ActivityRow>()
  const rowOf = (source_id: number): ActivityRow => {
    const row = rows.get(source_id) ?? { ...NO_ACTIVITY, source_id }
    rows.set(source_id, row)
    return row
  }
  for (const { story, kind } of fates) {
    if (kind === 'new') rowOf(story.source_id).articles++
    if (kind === 'repeat') rowOf(story.source_id).duplicates++
  }
  for (const [member, now] of new Map([...earliest(confirmations), ...relinked])) {
    const { confirmed_after: known, source_id } = member
    const isUnchanged = now === known || (known !== null && now !== null && known <= now)
    if (relinked.has(member) ? now === known : isUnchanged) continue
    const row = rowOf(source_id)
    row.confirmed += Number(now !== null) - Number(known !== null)
    row.lead_minutes += (now ?? 0) - (known ?? 0)
  }
  return [...rows.values()]
}

/** What is left to be done with stories when the transaction that holds them commits. */
export const heldRows = (fates: readonly Fate[], deduplicate: boolean): HeldRow[] =>
  fates.flatMap(({ kind, story, located: { article, security_id } }) => {
    const is_new = kind === 'new'
    const repeats = kind === 'repeat' && story.article === null ? 1 : 0
    const mentioned_security_id = isAboutAnother(story, security_id) ? security_id : null
    if (!is_new && repeats === 0 && mentioned_security_id === null) return []
    const told = article === story.earlier ? article : undefined
    return [
      {
        news_id: story.news_id,
        is_new,
        deduplicate,
        repeats,
        mentioned_security_id,
        first_told_at: told ? instantText(told.published_ms) : null,
        first_headline: told?.given.headline ?? null,
        first_keywords: told?.keywords ?? null,
      },
    ]
  })

/** A held story as it is locked. */
export const lockable = ({ norm, symbol }: TakenRow) => ({ norm_hash: fnv1a(norm), symbol })

/** The companies of held stories. */
export const heldSymbols = (held: readonly TakenRow[]): Map<number, string> =>
  new Map(
    held.flatMap(({ security_id, symbol }) =>
      security_id === null || symbol === null ? [] : [[security_id, symbol]],
    ),
  )

/** A held story as it is looked for among those of others. */
export const ownRow = ({ source_id, norm, story_hash, published_ms }: TakenRow): OwnRow => ({
  source_id,
  norm,
  story_hash,
  published_at: instantText(published_ms),
})

/** How held stories were told first, where the transaction knows an earlier telling of them. */
export function heldTellings(held: readonly TakenRow[]): FirstTelling[] {
  const first = new Map<string, FirstTelling>()
  for (const { news_id, norm, first_told_ms, first_headline, first_keywords } of held) {
    if (first_told_ms === null || first_headline === null || first_keywords === null) continue
    if ((first.get(news_id)?.published_ms ?? Number.POSITIVE_INFINITY) <= first_told_ms) continue
    const gist = gistOf(bodyOf(first_headline, norm))
    first.set(news_id, {
      news_id,
      published_ms: first_told_ms,
      headline: first_headline,
      keywords: first_keywords,
      gist,
      bits: termBits(gist.terms),
    })
  }
  return [...first.values()]
}

/** Held new stories as clusters see them. */
export function heldMembers(held: readonly TakenRow[]): Member[] {
  const tellings = new Map(heldTellings(held).map((one) => [one.news_id, one]))
  const fresh = held.filter(({ is_new }) => is_new)
  return fresh.flatMap(({ news_id, security_id, source_id, source_tier, ...row }, i) => {
    if (security_id === null) return []
    const gist = gistOf(bodyOf(row.headline, row.norm))
    const told = { gist, bits: termBits(gist.terms), keywords: row.keywords }
    return [
      {
        news_id,
        security_id,
        source_id,
        source_tier,
        ...{ ...told, published_ms: row.published_ms, ...tellings.get(news_id) },
        is_stored: false,
        is_linked: false,
        rank: i + 1,
        confirmed_after: null,
        thread_id: null,
        cluster_id: null,
      },
    ]
  })
}

const isNew = ({ is_stored }: Member): boolean => !is_stored

/** Stories to be marked at the end: with their repeats, and with the cluster they are in now. */
export function settledRows(
  held: readonly TakenRow[],
  clustering: Clustering,
  earlier: readonly FirstTelling[],
): TouchRow[] {
  const marks = new Marks()
  for (const { news_id, repeats, is_new } of held) if (!is_new) marks.add(news_id, { repeats })
  const placed = clustering.clusters.flatMap(({ members }) => members)
  for (const { news_id, cluster_id } of placed.filter(isNew)) marks.add(news_id, { cluster_id })
  marks.addChanges(clustering, earlier)
  return marks.rows()
}
