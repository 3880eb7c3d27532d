import { inTurns } from '../../lib/turns.js'
import type { StoryRow } from './news.sql.js'
import type { PreparedArticle } from './news-article.js'
import {
  type FirstTelling,
  idOf,
  type Located,
  type NewStory,
  newStory,
  type Story,
} from './story.js'

/** Stories by the hash of their source and headline. */
export type StoryGroups = Map<number, Story[]>

/** What became of one article. */
export interface Fate {
  readonly located: Located
  readonly story: Story
  /** `same`: the very row exists. `repeat`: the same source told it again within 24 h. */
  readonly kind: 'new' | 'same' | 'repeat'
}

/** A source that tells the same again after this long tells news. */
export const REPEAT_WINDOW_MS = 24 * 3_600_000

/** Stored stories, to be found by those that may repeat them. */
export function groupStories(stored: readonly StoryRow[]): StoryGroups {
  const groups: StoryGroups = new Map()
  for (const { story_hash, ...row } of stored) {
    addTo(groups, story_hash, { ...row, repeats: 0, earlier: null, article: null })
  }
  return groups
}

function addTo(groups: StoryGroups, hash: number, story: Story): void {
  const stories = groups.get(hash)
  if (stories) stories.push(story)
  else groups.set(hash, [story])
}

interface Rules {
  readonly deduplicate: boolean
  readonly nowMs: number
}

/**
 * Duplicate rules 1 and 2 over articles in order of publication, against what is stored and against
 * each other: the earlier of two is the story, the later its repeat.
 */
export async function decideFates(
  articles: readonly Located[],
  groups: StoryGroups,
  rules: Rules,
): Promise<Fate[]> {
  const known = new Map([...groups.values()].flat().map((story) => [story.news_id, story]))
  const decide = (located: Located): Fate => {
    const { story_hash } = located
    const news_id = idOf(located)
    const same = known.get(news_id)
    if (same) return { located, story: same, kind: 'same' }
    const told = rules.deduplicate ? toldWithin(groups.get(story_hash) ?? [], located) : null
    if (told) {
      told.repeats++
      noteEarlier(told, located)
      return { located, story: told, kind: 'repeat' }
    }
    const story = newStory(located, news_id, rules.nowMs)
    known.set(news_id, story)
    addTo(groups, story_hash, story)
    return { located, story, kind: 'new' }
  }
  const fates: Fate[] = []
  await inTurns(articles, (located) => fates.push(decide(located)))
  return fates
}

/**
 * The story of the same source and headline told before within the window, else the one told after: as
 * it would be, had they arrived in order.
 */
function toldWithin(stories: readonly Story[], { article, source_id }: Located): Story | null {
  let before: Story | null = null
  let after: Story | null = null
  for (const story of stories) {
    if (story.source_id !== source_id || story.norm !== article.norm) continue
    const apart = article.published_ms - story.published_ms
    if (Math.abs(apart) > REPEAT_WINDOW_MS) continue
    if (apart < 0) after = after && after.published_ms < story.published_ms ? after : story
    else before = before && before.published_ms > story.published_ms ? before : story
  }
  return before ?? after
}

/** What is told for another company says nothing of when this one's story began. */
function noteEarlier(story: Story, { article, security_id }: Located): void {
  if (security_id === null || security_id !== story.security_id) return
  if (article.published_ms >= story.first_told_ms) return
  story.first_told_ms = article.published_ms
  story.earlier = article
}

/** How the stored stories of which this call knows an earlier telling were told first. */
export const firstTellings = (fates: readonly Fate[]): FirstTelling[] =>
  [...new Set(fates.map(({ story }) => story))].flatMap(({ news_id, earlier }) =>
    earlier === null ? [] : [firstTelling(news_id, earlier)],
  )

const firstTelling = (
  news_id: string,
  { published_ms, given, keywords, gist, bits }: PreparedArticle,
): FirstTelling => ({ news_id, published_ms, headline: given.headline, keywords, gist, bits })

/** The stories a call adds. */
export const newStories = (fates: readonly Fate[]): NewStory[] =>
  fates
    .filter(({ kind }) => kind === 'new')
    .map(({ story }) => story)
    .filter(isNew)

const isNew = (story: Story): story is NewStory => story.article !== null
