import { inTurns } from '../../lib/turns.js'
import type { Queryable, Transaction } from '../../platform/postgres/queryable.js'
import * as clusterSql from './clusters.sql.js'
import { Clustering, clusterRows, type Member } from './news-clusters.js'
import * as rows from './news-rows.js'
import { likelyMatches } from './stored-outlines.js'
import { wordBits } from './word-bits.js'

/** Joins new stories, in the order given, to stored ones. */
export async function joinClusters(
  members: readonly Member[],
  stored: readonly Member[],
): Promise<Clustering> {
  const clustering = new Clustering(stored)
  await inTurns(members, (member) => clustering.add(member))
  return clustering
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
  const found = await db.many(clusterSql.selectMembers(ids))
  return found.map((row) => ({
    ...row,
    bits: wordBits(row.norm),
    keywords: [],
    is_stored: true,
  }))
}

/** Writes the figures of the clusters that new stories join or found. */
export async function saveClusters(
  tx: Transaction,
  { joined, founders }: Clustering,
): Promise<void> {
  const ids = [...new Set([...joined.keys(), ...founders.flatMap((f) => f.cluster_id ?? [])])]
  if (ids.length === 0) return
  const founderIds = founders.map(({ news_id }) => news_id)
  const shares = await tx.many(clusterSql.selectShares(ids, founderIds))
  await tx.run(clusterSql.saveClusters(clusterRows(joined, shares)))
}

/** Stores what trusted sources confirmed. */
export async function saveConfirmations(
  tx: Transaction,
  { confirmations }: Clustering,
): Promise<void> {
  if (confirmations.length === 0) return
  await tx.run(clusterSql.addConfirmations(confirmations.map(rows.confirmationRow)))
}
