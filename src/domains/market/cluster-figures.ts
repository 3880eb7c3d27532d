import { groupBy } from '../../lib/group-by.js'
import { coordinationScore } from './narrative.js'
import type { Cluster, Member } from './news-clusters.js'

/** What one source contributes to a cluster. */
export interface SourceShare {
  readonly cluster_id: string
  readonly source_id: number
  readonly source_tier: number
  readonly articles: number
  readonly first_ms: number
  readonly last_ms: number
  readonly keywords: readonly string[]
}

/** A cluster with its figures, ready to be stored. */
export interface ClusterRow {
  readonly cluster_id: string
  readonly thread_id: string
  readonly security_id: number
  readonly first_published: string
  readonly last_published: string
  readonly keywords: readonly string[]
  readonly article_count: number
  readonly source_count: number
  readonly avg_tier: number
  readonly coordination_score: number
}

const MAX_KEYWORDS = 50
const MINUTE_MS = 60_000

const shareOf = (member: Member, cluster_id: string): SourceShare => ({
  cluster_id,
  source_id: member.source_id,
  source_tier: member.source_tier,
  articles: 1,
  first_ms: member.published_ms,
  last_ms: member.published_ms,
  keywords: member.keywords,
})

/** The figures of clusters, from their members and the shares of those that were not read. */
export function clusterRows(
  clusters: readonly Cluster[],
  unread: readonly SourceShare[],
): ClusterRow[] {
  const shares = groupBy(unread, ({ cluster_id }) => cluster_id)
  return clusters.flatMap((cluster) => {
    const { cluster_id, thread_id, members } = cluster
    const [first] = members
    if (!first) return []
    const all = [
      ...(shares.get(cluster_id) ?? []),
      ...members.map((member) => shareOf(member, cluster_id)),
    ]
    return [{ cluster_id, thread_id, security_id: first.security_id, ...figuresOf(all) }]
  })
}

function figuresOf(shares: readonly SourceShare[]) {
  const tiers = new Map<number, number>()
  let first = Number.POSITIVE_INFINITY
  let last = Number.NEGATIVE_INFINITY
  let article_count = 0
  for (const share of shares) {
    tiers.set(share.source_id, Math.min(share.source_tier, tiers.get(share.source_id) ?? 5))
    first = Math.min(first, share.first_ms)
    last = Math.max(last, share.last_ms)
    article_count += share.articles
  }
  const source_count = tiers.size
  const avg_tier = [...tiers.values()].reduce((sum, tier) => sum + tier, 0) / source_count
  const spread_minutes = (last - first) / MINUTE_MS
  return {
    first_published: new Date(first).toISOString(),
    last_published: new Date(last).toISOString(),
    keywords: [...new Set(shares.flatMap((share) => share.keywords))].sort().slice(0, MAX_KEYWORDS),
    article_count,
    source_count,
    avg_tier,
    coordination_score: coordinationScore({ source_count, spread_minutes, avg_tier }),
  }
}
