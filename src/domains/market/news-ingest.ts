import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Transaction } from '../../platform/postgres/queryable.js'
import * as clusterSql from './clusters.sql.js'
import { tokens } from './headline.js'
import * as newsSql from './news.sql.js'
import type { PreparedArticle } from './news-article.js'
import { Clustering, clusterRows, type Member } from './news-clusters.js'
import { lockKeys } from './news-locks.js'
import { decideFates, type Fate, groupStories, newStories } from './news-repeats.js'
import * as rows from './news-rows.js'
import { likelyMatches } from './stored-outlines.js'
import type { Located, NewStory } from './story.js'
import { wordBits } from './word-bits.js'

/** What holds for all articles of a call. */
export interface IngestRules {
  readonly nowMs: number
  /** False keeps repeats of a headline as stories of their own. */
  readonly deduplicate: boolean
  /** Called after each step. */
  step(message: string): void
}

/** Up to here one JSON parameter serves; a thousand rows took as long by COPY. */
const COPY_FROM = 2_000
/** How much is computed before other requests get their turn. */
const SLICE = 250

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
  const located = await locate(tx, inOrder(articles))
  const stored = await tx.many(newsSql.findStories(rows.storyLookup(located, hot)))
  const fates = decideFates(located, groupStories(stored), rules)
  rules.step('known stories found')
  const fresh = newStories(fates)
  const clustering = await cluster(tx, fresh, hot)
  rules.step('similar stories found')
  await store(tx, { fates, fresh, clustering, hot })
  rules.step('stored')
  return fates
}

const inOrder = (articles: readonly PreparedArticle[]): PreparedArticle[] =>
  [...articles].sort((a, b) => a.published_ms - b.published_ms || a.index - b.index)

/** Takes the locks, and finds or creates each source and security. */
async function locate(tx: Transaction, articles: readonly PreparedArticle[]): Promise<Located[]> {
  const names = [...new Set(articles.map(({ source }) => source))]
  const symbols = [...new Set(articles.flatMap(({ symbol }) => symbol ?? []))]
  let found = await tx.many(newsSql.lockAndResolve(lockKeys(articles), names, symbols))
  const unknown = found.filter(({ id }) => id === null)
  if (unknown.length > 0) {
    const named = (kind: string) =>
      unknown.filter((row) => row.kind === kind).map((row) => row.name)
    await tx.run(newsSql.addNames(named('source'), named('security')))
    found = await tx.many(newsSql.lockAndResolve({ classes: [], keys: [] }, names, symbols))
  }
  const ids = new Map(found.map((row) => [`${row.kind} ${row.name}`, row]))
  return articles.map((article) => {
    const source = ids.get(`source ${article.source}`)
    if (!source || source.id === null || source.tier === null) {
      throw new Error('a source was neither found nor created')
    }
    const security = article.symbol === null ? null : ids.get(`security ${article.symbol}`)
    const security_id = security?.id ?? null
    return { article, source_id: source.id, source_tier: source.tier, security_id }
  })
}

async function cluster(
  tx: Transaction,
  stories: readonly NewStory[],
  hot: boolean,
): Promise<Clustering> {
  const pairs = stories.flatMap((story) => {
    const member = rows.memberOf(story)
    return member ? [{ story, member }] : []
  })
  const members = pairs.map(({ member }) => member)
  const clustering = new Clustering(await storedMembers(tx, members, hot))
  for (const [i, member] of members.entries()) {
    clustering.add(member)
    if (i % SLICE === SLICE - 1) await nextTurn()
  }
  for (const { story, member } of pairs) story.cluster_id = member.cluster_id
  return clustering
}

/** First the outlines of all stories around, then the few that may be alike. */
async function storedMembers(
  tx: Transaction,
  members: readonly Member[],
  hot: boolean,
): Promise<Member[]> {
  if (members.length === 0) return []
  const outlines = await tx.many(clusterSql.findOutlines(rows.windowRows(members), hot))
  const ids = likelyMatches(members, outlines)
  if (ids.length === 0) return []
  const found = await tx.many(clusterSql.selectMembers(ids))
  return found.map(({ norm, ...row }) => {
    const words = tokens(norm)
    return { ...row, words, bits: wordBits(words), keywords: [], is_stored: true }
  })
}

interface Changes {
  readonly fates: readonly Fate[]
  readonly fresh: readonly NewStory[]
  readonly clustering: Clustering
  readonly hot: boolean
}

/** Clusters first, for articles refer to them; the rest refers to articles. */
async function store(tx: Transaction, changes: Changes): Promise<void> {
  const { fates, clustering } = changes
  await saveClusters(tx, clustering)
  await insertArticles(tx, changes)
  const touched = rows.touchRows(fates, clustering.founders)
  if (touched.length > 0) await tx.run(newsSql.touchArticles(touched))
  const mentions = rows.mentionRows(fates)
  if (mentions.length > 0) await tx.run(newsSql.addMentions(mentions))
  const confirmations = clustering.confirmations.map(rows.confirmationRow)
  if (confirmations.length > 0) await tx.run(clusterSql.addConfirmations(confirmations))
}

async function saveClusters(tx: Transaction, { joined, founders }: Clustering): Promise<void> {
  const ids = [...new Set([...joined.keys(), ...founders.flatMap((f) => f.cluster_id ?? [])])]
  if (ids.length === 0) return
  const founderIds = founders.map(({ news_id }) => news_id)
  const shares = await tx.many(clusterSql.selectShares(ids, founderIds))
  await tx.run(clusterSql.saveClusters(clusterRows(joined, shares)))
}

async function insertArticles(tx: Transaction, changes: Changes): Promise<void> {
  const { fates, fresh, clustering, hot } = changes
  const activity = rows.activityRows(fates, clustering)
  if (activity.length === 0) return
  if (fresh.length <= COPY_FROM) {
    await tx.run(newsSql.insertArticles({ rows: fresh.map(rows.articleRow), hot }, activity))
    return
  }
  await tx.copyIn(newsSql.copyArticles(), rows.articleLines(fresh))
  await tx.run(newsSql.addActivity(activity))
}
