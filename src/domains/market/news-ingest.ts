import type { Transaction } from '../../platform/postgres/queryable.js'
import {
  finishClusters,
  joinClusters,
  linkedAnew,
  membersAround,
  saveClusters,
} from './cluster-store.js'
import { heldMembers, hold } from './held-news.js'
import * as newsSql from './news.sql.js'
import type { PreparedArticle } from './news-article.js'
import { type Clustering, changedBy, type Member } from './news-clusters.js'
import { type Beside, locate } from './news-names.js'
import { decideFates, type Fate, firstTellings, groupStories, newStories } from './news-repeats.js'
import * as rows from './news-rows.js'
import type { FirstTelling, NewStory } from './story.js'
import { mentionChanged, symbolsNamed, touchNews } from './touched-news.js'

/** What holds for all articles of a call. */
export interface IngestRules {
  readonly nowMs: number
  /** False keeps repeats of a headline as stories of their own. */
  readonly deduplicate: boolean
  readonly beside: Beside
  /** Called after each step. */
  step(message: string): void
}

/** Up to here one JSON parameter serves; a thousand rows take a seventh less time by COPY. */
const COPY_FROM = 500

/**
 * Stores valid articles in the caller's transaction: a handful of statements, however many there
 * are. Returns what became of each, in order of publication.
 */
export async function ingest(
  tx: Transaction,
  articles: readonly PreparedArticle[],
  rules: IngestRules,
): Promise<Fate[]> {
  if (articles.length === 0) return []
  const hot = articles.length === 1
  const located = await locate(tx, inOrder(articles), rules.beside)
  const stored = await tx.many(newsSql.findStories(rows.storyLookup(located, hot)))
  const fates = await decideFates(located, groupStories(stored), rules)
  rules.step('known stories found')
  const fresh = newStories(fates)
  const anew = await linkedAnew(tx, tx.held ? [] : firstTellings(fates))
  const clustering = await cluster(tx, { fates, fresh, anew: anew.members, hot })
  rules.step('similar stories found')
  await touchNews(tx, fates)
  if (tx.held) await hold(tx, tx.held, { fates, fresh, ...rules })
  else await store(tx, { fates, fresh, clustering, earlier: anew.earlier, hot })
  rules.step('stored')
  return fates
}

const inOrder = (articles: readonly PreparedArticle[]): PreparedArticle[] =>
  [...articles].sort((a, b) => a.published_ms - b.published_ms || a.index - b.index)

interface Told {
  readonly fates: readonly Fate[]
  readonly fresh: readonly NewStory[]
  /** Stored stories to be linked anew. */
  readonly anew: readonly Member[]
  readonly hot: boolean
}

async function cluster(tx: Transaction, { fates, fresh, anew, hot }: Told): Promise<Clustering> {
  const pairs = fresh.flatMap((story) => {
    const member = rows.memberOf(story)
    return member ? [{ story, member }] : []
  })
  const members = pairs.map(({ member }) => member)
  const held = tx.held ? await heldMembers(tx) : []
  const all = [...held, ...members, ...anew].sort((a, b) => a.published_ms - b.published_ms)
  const clustering = await joinClusters(tx, all, await membersAround(tx, all, hot))
  for (const { story, member } of pairs) story.cluster_id = member.cluster_id
  const linked = new Map(anew.map((member) => [member.news_id, member]))
  for (const { story } of fates) {
    const member = linked.get(story.news_id)
    if (member) story.cluster_id = member.cluster_id
  }
  return clustering
}

interface Changes {
  readonly fates: readonly Fate[]
  readonly fresh: readonly NewStory[]
  readonly clustering: Clustering
  readonly earlier: readonly FirstTelling[]
  readonly hot: boolean
}

/** Clusters first, for articles refer to them; the rest refers to articles. */
async function store(tx: Transaction, changes: Changes): Promise<void> {
  const { fates, clustering, earlier } = changes
  const joined = await saveClusters(tx, clustering)
  await insertArticles(tx, changes)
  const touched = rows.touchRows(fates, clustering, earlier)
  if (touched.length > 0) await tx.run(newsSql.touchArticles(touched))
  const mentions = rows.mentionRows(fates)
  if (mentions.length > 0) await tx.run(newsSql.addMentions(mentions))
  const changed = [...changedBy(clustering), ...joined, ...(await finishClusters(tx, clustering))]
  mentionChanged(tx, changed, symbolsNamed(fates))
}

async function insertArticles(tx: Transaction, changes: Changes): Promise<void> {
  const { fates, fresh, clustering, hot } = changes
  const activity = rows.activityRows(fates, clustering)
  if (activity.length === 0) return
  if (fresh.length <= COPY_FROM) {
    await tx.run(newsSql.insertArticles({ rows: fresh.map(rows.articleRow), hot }, activity))
    return
  }
  await tx.run(newsSql.losePatience())
  await tx.copyIn(newsSql.copyArticles(), rows.articleLines(fresh))
  await tx.run(newsSql.addActivity(activity))
}
