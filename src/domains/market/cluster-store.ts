import { groupBy } from '../../lib/group-by.js'
import { inTurns } from '../../lib/turns.js'
import type { Queryable, Transaction } from '../../platform/postgres/queryable.js'
import { clusterRows } from './cluster-figures.js'
import * as clusterSql from './clusters.sql.js'
import { gistOf } from './gist.js'
import { bodyOf } from './headline.js'
import * as newsSql from './news.sql.js'
import {
  type Cluster,
  type Clustering,
  type Confirmation,
  clustersOf,
  earliest,
  findLinks,
  MAX_CONFIRMATIONS,
  type Member,
  type Thread,
} from './news-clusters.js'
import * as rows from './news-rows.js'
import { likelyMatches } from './stored-outlines.js'
import type { FirstTelling } from './story.js'
import { termBits } from './word-bits.js'

/** A story that looks different now, if only by the figures of its cluster. */
export type Changed = Pick<Member, 'news_id' | 'security_id'>

/** Finds the clusters of new stories and of the stored ones they are linked to. */
export async function joinClusters(
  db: Queryable,
  fresh: readonly Member[],
  around: readonly Member[],
): Promise<Clustering> {
  const { threads, alone, confirmations } = await findLinks(fresh, around)
  const known = await restOf(db, threads)
  const [clusters, moved, unread]: [Cluster[], Member[], string[]] = [[], [], []]
  const left = new Set<string>()
  await inTurns(threads, (thread) => {
    const rest = thread.known_ids.flatMap((id) => known.byThread.get(id) ?? [])
    const whole = { ...thread, members: [...thread.members, ...rest] }
    const isCut = thread.known_ids.some((id) => known.cut.has(id))
    for (const cluster of clustersOf(whole, isCut)) {
      if (isCut) unread.push(cluster.cluster_id)
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
  for (const member of alone) {
    if (member.cluster_id !== null) left.add(member.cluster_id)
    member.cluster_id = null
    moved.push(member)
  }
  const stay = new Set(clusters.map(({ cluster_id }) => cluster_id))
  return {
    clusters,
    moved,
    left: [...left].filter((id) => !stay.has(id)),
    unread,
    ...(await changesOf(db, fresh, confirmations)),
  }
}

/** What is new of the confirmations found, and what of the stored ones was not found again. */
async function changesOf(
  db: Queryable,
  fresh: readonly Member[],
  found: readonly Confirmation[],
): Promise<Pick<Clustering, 'confirmations' | 'withdrawn' | 'relinked'>> {
  const members = new Map(
    fresh.flatMap((member) => (member.is_stored ? [[member.news_id, member]] : [])),
  )
  if (members.size === 0) return { confirmations: found, withdrawn: [], relinked: new Map() }
  const stored = (await db.many(clusterSql.selectConfirmations([...members.keys()]))).flatMap(
    ({ news_id, confirmed_by_news_id, delay_minutes }) => {
      const [confirmed, by] = [members.get(news_id), members.get(confirmed_by_news_id)]
      return confirmed && by ? [{ confirmed, by, delay_minutes }] : []
    },
  )
  const [before, now] = [new Set(stored.map(nameOf)), new Set(found.map(nameOf))]
  const delays = earliest(found)
  return {
    confirmations: found.filter((one) => !before.has(nameOf(one))),
    withdrawn: stored.filter((one) => !now.has(nameOf(one))),
    relinked: new Map([...members.values()].map((one) => [one, delays.get(one) ?? null])),
  }
}

const nameOf = ({ confirmed, by, delay_minutes }: Confirmation): string =>
  `${confirmed.news_id} ${by.news_id} ${delay_minutes.toFixed(3)}`

/** The stories of known threads that are not among their members yet. */
async function restOf(db: Queryable, threads: readonly Pick<Thread, 'known_ids' | 'members'>[]) {
  const byThread = new Map<string, Member[]>()
  const ids = threads.flatMap(({ known_ids }) => known_ids)
  const cut = new Set<string>()
  if (ids.length === 0) return { byThread, cut }
  const read = threads.flatMap(({ members }) => members.map(({ news_id }) => news_id))
  const found = await db.many(clusterSql.selectThreads(ids, read))
  for (const [id, rows] of groupBy(found, ({ thread_id }) => thread_id ?? '')) {
    byThread.set(id, rows.map(memberOf))
    if (rows.length === clusterSql.MAX_THREAD) cut.add(id)
  }
  if (found.length === clusterSql.MAX_READ) for (const id of ids) cut.add(id)
  return { byThread, cut }
}

/**
 * Stored stories of which an earlier telling has come in, as told then, and all others of their threads:
 * what they are linked to has to be found again. A thread too long to be read whole stays as it is.
 */
export async function linkedAnew(
  db: Queryable,
  tellings: readonly FirstTelling[],
): Promise<{ readonly members: Member[]; readonly earlier: FirstTelling[] }> {
  if (tellings.length === 0) return { members: [], earlier: [] }
  const told = new Map(tellings.map((one) => [one.news_id, one]))
  const stored = (await db.many(clusterSql.selectMembers([...told.keys()]))).map(memberOf)
  const isEarlier = ({ news_id, published_ms }: Member): boolean =>
    (told.get(news_id)?.published_ms ?? published_ms) < published_ms
  const changed = stored.filter(isEarlier)
  const { byThread, cut } = await restOf(db, [
    {
      known_ids: [...new Set(changed.flatMap(({ thread_id }) => thread_id ?? []))],
      members: changed,
    },
  ])
  const whole = changed.filter(({ thread_id }) => thread_id === null || !cut.has(thread_id))
  const others = [...byThread].flatMap(([id, members]) => (cut.has(id) ? [] : members))
  const asTold = whole.map((member) => ({ ...member, ...told.get(member.news_id) }))
  const members = [...asTold, ...others].map((member) => ({
    ...member,
    is_linked: false,
    thread_id: null,
  }))
  return { members, earlier: changed.flatMap(({ news_id }) => told.get(news_id) ?? []) }
}

function memberOf({ headline, norm, ...row }: clusterSql.MemberRow): Member {
  const gist = gistOf(bodyOf(headline, norm))
  return { ...row, gist, bits: termBits(gist.terms), is_stored: true, is_linked: true, rank: 0 }
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

/** Writes the figures of the clusters that new stories join or found; answers whose figures are others now. */
export async function saveClusters(
  tx: Transaction,
  { clusters, unread }: Clustering,
): Promise<Changed[]> {
  if (clusters.length === 0) return []
  const read = clusters.flatMap(({ members }) => members.map(({ news_id }) => news_id))
  const shares = unread.length === 0 ? [] : await tx.many(clusterSql.selectShares(unread, read))
  const saved = await tx.many(clusterSql.saveClusters(clusterRows(clusters, shares)))
  const changed = new Set(saved.map(({ cluster_id }) => cluster_id))
  return clusters.flatMap(({ cluster_id, members }) => (changed.has(cluster_id) ? members : []))
}

/**
 * Removes the clusters that every story has left, and stores what trusted sources confirmed; answers which
 * stories an earlier one has taken the place of.
 */
export async function finishClusters(
  tx: Transaction,
  { left, confirmations, withdrawn }: Clustering,
): Promise<Changed[]> {
  if (left.length > 0) await tx.run(clusterSql.removeEmpty(left))
  if (withdrawn.length > 0) {
    await tx.run(clusterSql.removeConfirmations(withdrawn.map(rows.confirmationRow)))
  }
  if (confirmations.length === 0) return []
  const added = confirmations.map(rows.confirmationRow)
  await tx.run(clusterSql.addConfirmations(added))
  const confirmed = new Map(confirmations.map((one) => [one.confirmed.news_id, one.confirmed]))
  const trimmed = await tx.many(
    clusterSql.trimConfirmations([...confirmed.keys()], MAX_CONFIRMATIONS),
  )
  const isNew = new Set(added.map((row) => `${row.news_id} ${row.confirmed_by_news_id}`))
  const lost = trimmed.flatMap(({ news_id, confirmed_by_news_id }) => {
    const { security_id } = confirmed.get(news_id) ?? {}
    if (security_id === undefined || isNew.has(`${news_id} ${confirmed_by_news_id}`)) return []
    return [{ news_id: confirmed_by_news_id, security_id }]
  })
  if (lost.length > 0) await tx.run(newsSql.touchArticles(rows.plainMarks(lost)))
  return lost
}
