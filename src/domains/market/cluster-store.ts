import { inTurns } from '../../lib/turns.js'
import type { Queryable, Transaction } from '../../platform/postgres/queryable.js'
import { clusterRows } from './cluster-figures.js'
import * as clusterSql from './clusters.sql.js'
import { gistOf } from './gist.js'
import { bodyOf } from './headline.js'
import {
  type Cluster,
  type Clustering,
  clustersOf,
  findLinks,
  MAX_CONFIRMATIONS,
  type Member,
  type Thread,
} from './news-clusters.js'
import * as rows from './news-rows.js'
import { likelyMatches } from './stored-outlines.js'
import { termBits } from './word-bits.js'

/** Finds the clusters of new stories and of the stored ones they are linked to. */
export async function joinClusters(
  db: Queryable,
  fresh: readonly Member[],
  around: readonly Member[],
): Promise<Clustering> {
  const { threads, confirmations } = await findLinks(fresh, around)
  const known = await restOf(db, threads)
  const [clusters, moved]: [Cluster[], Member[]] = [[], []]
  const left = new Set<string>()
  await inTurns(threads, (thread) => {
    const rest = thread.known_ids.flatMap((id) => known.byThread.get(id) ?? [])
    const whole = { ...thread, members: [...thread.members, ...rest] }
    for (const cluster of clustersOf(whole, known.isCut)) {
      clusters.push(cluster)
      for (const member of cluster.members) {
        const { cluster_id } = member
        if (cluster_id === cluster.cluster_id) continue
        member.cluster_id = cluster.cluster_id
        if (!member.is_stored) continue
        moved.push(member)
        if (cluster_id !== null) left.add(cluster_id)
      }
    }
  })
  const stay = new Set(clusters.map(({ cluster_id }) => cluster_id))
  return {
    clusters,
    moved,
    left: [...left].filter((id) => !stay.has(id)),
    unread: known.isCut ? [...stay] : [],
    confirmations,
  }
}

/** The stories of known threads that are not among their members yet. */
async function restOf(db: Queryable, threads: readonly Thread[]) {
  const byThread = new Map<string, Member[]>()
  const ids = threads.flatMap(({ known_ids }) => known_ids)
  if (ids.length === 0) return { byThread, isCut: false }
  const read = new Set(threads.flatMap(({ members }) => members.map(({ news_id }) => news_id)))
  const found = await db.many(clusterSql.selectThreads(ids, [...read]))
  for (const row of found) {
    const member = memberOf(row)
    const id = row.thread_id ?? ''
    byThread.set(id, [...(byThread.get(id) ?? []), member])
  }
  return { byThread, isCut: found.length === clusterSql.MAX_THREAD }
}

function memberOf({ headline, norm, ...row }: clusterSql.MemberRow): Member {
  const gist = gistOf(bodyOf(headline, norm))
  return { ...row, gist, bits: termBits(gist.terms), is_stored: true, rank: 0 }
}

/**
 * Stored stories that may tell the same as these, which are to be in order of publication: first the
 * outlines of all around, then the few that may be alike.
 */
export async function membersAround(
  db: Queryable,
  members: readonly Member[],
  hot: boolean,
): Promise<Member[]> {
  if (members.length === 0) return []
  const outlines = await db.many(clusterSql.findOutlines(rows.windowRows(members), hot))
  const own = new Set(members.map(({ news_id }) => news_id))
  const ids = (await likelyMatches(members, outlines)).filter((id) => !own.has(id))
  if (ids.length === 0) return []
  return (await db.many(clusterSql.selectMembers(ids))).map(memberOf)
}

/** Writes the figures of the clusters that new stories join or found. */
export async function saveClusters(
  tx: Transaction,
  { clusters, unread }: Clustering,
): Promise<void> {
  if (clusters.length === 0) return
  const read = clusters.flatMap(({ members }) => members.map(({ news_id }) => news_id))
  const shares = unread.length === 0 ? [] : await tx.many(clusterSql.selectShares(unread, read))
  await tx.run(clusterSql.saveClusters(clusterRows(clusters, shares)))
}

/** Removes the clusters that every story has left, and stores what trusted sources confirmed. */
export async function finishClusters(
  tx: Transaction,
  { left, confirmations }: Clustering,
): Promise<void> {
  if (left.length > 0) await tx.run(clusterSql.removeEmpty(left))
  if (confirmations.length === 0) return
  await tx.run(clusterSql.addConfirmations(confirmations.map(rows.confirmationRow)))
  const ids = [...new Set(confirmations.map(({ confirmed }) => confirmed.news_id))]
  await tx.run(clusterSql.trimConfirmations(ids, MAX_CONFIRMATIONS))
}
