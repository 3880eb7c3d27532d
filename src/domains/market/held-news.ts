import { AppError } from '../../errors.js'
import type { Queryable, Transaction } from '../../platform/postgres/queryable.js'
import {
  finishClusters,
  joinClusters,
  linkedAnew,
  membersAround,
  saveClusters,
} from './cluster-store.js'
import * as heldSql from './held-news.sql.js'
import * as newsSql from './news.sql.js'
import { type Clustering, changedBy, type Member } from './news-clusters.js'
import { lockKeys } from './news-locks.js'
import type { Beside } from './news-names.js'
import type { Fate } from './news-repeats.js'
import * as rows from './news-rows.js'
import type { FirstTelling, NewStory } from './story.js'
import { mentionChanged } from './touched-news.js'

interface Work {
  readonly fates: readonly Fate[]
  readonly fresh: readonly NewStory[]
  readonly deduplicate: boolean
  readonly beside: Beside
}

/**
 * Stores new stories in a transaction that a client holds open, for minutes perhaps. Nobody may wait
 * for it that long, so it takes no locks, and what would lock a row that others need (clusters,
 * repeats, mentions) is left for its end. Only who sends the very same story waits for it, briefly:
 * whether that one is known cannot be said before this transaction has ended.
 */
export async function hold(
  tx: Transaction,
  held: NonNullable<Transaction['held']>,
  { fates, fresh, deduplicate, beside }: Work,
): Promise<void> {
  const articles = fresh.map((story) => rows.articleRow({ ...story, cluster_id: null }))
  const added = articles.length === 0 ? 0 : await tx.run(newsSql.addUnlessKnown(articles))
  if (added < articles.length) throw storedAtOnce()
  const toSettle = rows.heldRows(fates, deduplicate)
  if (toSettle.length === 0) return
  const activity = newsSql.addActivity(rows.activityRows(fates, NO_LINKS))
  await tx.run(heldSql.holdStories(toSettle, activity))
  held.beforeCommit((last) => settle(last, beside))
}

/** What this transaction has stored so far, as clusters see it: new until it is settled. */
export const heldMembers = async (tx: Transaction): Promise<Member[]> =>
  rows.heldMembers(await tx.many(heldSql.readHeld()))

/** Clusters and confirmations are for the end. */
const NO_LINKS = { confirmations: [], relinked: new Map() }

/** Does what is left of all operations of the transaction; those after the first find nothing. */
async function settle(tx: Transaction, beside: Beside): Promise<void> {
  const held = await tx.many(heldSql.takeHeld())
  const [first] = held
  if (!first) return
  if (first.sees_commits) return settleAmong(tx, tx, held)
  // What has been committed since its snapshot shows on another connection only. That is opened
  // before the locks are taken: all others may be in the hands of those who wait for the locks.
  const options = { readOnly: true, signal: tx.signal }
  return beside.transaction((newest) => settleAmong(tx, newest, held), options)
}

/** `newest` sees what others have committed until now. */
async function settleAmong(
  tx: Transaction,
  newest: Queryable,
  held: readonly heldSql.TakenRow[],
): Promise<void> {
  const fresh = held.filter(({ is_new }) => is_new)
  await tx.run(newsSql.takeLocks(lockKeys(held.map(rows.lockable))))
  await refuseKnown(newest, fresh)
  const own = new Set(fresh.map(({ news_id }) => news_id))
  const tellings = rows.heldTellings(held)
  const anew = await linkedAnew(
    tx,
    tellings.filter(({ news_id }) => !own.has(news_id)),
  )
  const earlier = [...tellings.filter(({ news_id }) => own.has(news_id)), ...anew.earlier]
  const members = [...rows.heldMembers(held), ...anew.members]
  const inTime = members.sort((a, b) => a.published_ms - b.published_ms)
  const stored = await membersAround(tx, inTime, false)
  if (newest !== tx) refuseUnseen(stored, await membersAround(newest, inTime, false))
  const clustering = await joinClusters(tx, inTime, stored)
  const joined = await saveClusters(tx, clustering)
  await mark(tx, held, clustering, earlier)
  const changed = [...changedBy(clustering), ...joined, ...(await finishClusters(tx, clustering))]
  mentionChanged(tx, changed, rows.heldSymbols(held))
}

/** Rule 2 against what others have committed since the stories were found to be new. */
async function refuseKnown(newest: Queryable, fresh: readonly heldSql.TakenRow[]): Promise<void> {
  const own = fresh.filter(({ deduplicate }) => deduplicate)
  if (own.length === 0) return
  const ids = fresh.map(({ news_id }) => news_id)
  const { known } = await newest.one(heldSql.areKnown(own.map(rows.ownRow), ids))
  if (known) throw toldMeanwhile()
}

/** A story that the snapshot does not show, or not as it was told first, cannot be joined. */
function refuseUnseen(seen: readonly Member[], newest: readonly Member[]): void {
  const told = new Map(seen.map(({ news_id, published_ms }) => [news_id, published_ms]))
  const isSeen = newest.every(({ news_id, published_ms }) => told.get(news_id) === published_ms)
  if (!isSeen || newest.length < seen.length) throw toldMeanwhile()
}

/** What is noted on stories, new and known ones. */
async function mark(
  tx: Transaction,
  held: readonly heldSql.TakenRow[],
  clustering: Clustering,
  earlier: readonly FirstTelling[],
): Promise<void> {
  const touched = rows.settledRows(held, clustering, earlier)
  if (touched.length > 0) await tx.run(newsSql.touchArticles(touched))
  const mentions = held.flatMap(({ news_id, mentioned_security_id: security_id }) =>
    security_id === null ? [] : [{ news_id, security_id }],
  )
  if (mentions.length > 0) await tx.run(newsSql.addMentions(mentions))
  const activity = rows.activityRows([], clustering)
  if (activity.length > 0) await tx.run(newsSql.addActivity(activity))
}

const storedAtOnce = (): AppError =>
  new AppError('conflict', 'Somebody else stored the same story at the same time.', {
    hint: 'Send the same call again: the story is then answered as a duplicate.',
    retryable: true,
  })

const toldMeanwhile = (): AppError =>
  new AppError(
    'conflict',
    'Somebody else stored the same news while the transaction was open; it was rolled back.',
    {
      hint: 'Repeat all operations of the transaction: stories known by then are answered as duplicates.',
      retryable: true,
    },
  )
