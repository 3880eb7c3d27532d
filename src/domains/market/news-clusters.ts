import { coordinationScore } from './narrative.js'
import { SimilarStories, type Told } from './similar-stories.js'
import { clusterFoundedBy } from './story.js'

/** A story as clusters see it. */
export interface Member extends Told {
  readonly news_id: string
  readonly security_id: number
  readonly source_tier: number
  /** Of a new story; those of stored ones are read with the shares of their cluster. */
  readonly keywords: readonly string[]
  /** Stored before this call. */
  readonly is_stored: boolean
  /** Minutes until the earliest known tier 1-2 story confirmed it. */
  confirmed_after: number | null
  cluster_id: string | null
}

/** A trusted source told what a less trusted one had told before. */
export interface Confirmation {
  readonly confirmed: Member
  readonly by: Member
  readonly delay_minutes: number
  /** Of the earliest confirmation known before; null for the first one. */
  readonly known_minutes: number | null
}

/** What a call's new stories change in the clusters. */
interface ClusterChanges {
  /** The new members of each touched cluster. */
  readonly joined: ReadonlyMap<string, readonly Member[]>
  /** Stored stories that were alone until now. */
  readonly founders: readonly Member[]
  readonly confirmations: readonly Confirmation[]
}

const TRUSTED_TIER = 2
const MINUTE_MS = 60_000

/** Duplicate rule 3: joins new stories to what other sources told of the same security. */
export class Clustering implements ClusterChanges {
  readonly joined = new Map<string, Member[]>()
  readonly founders: Member[] = []
  readonly confirmations: Confirmation[] = []
  readonly #bySecurity = new Map<number, SimilarStories<Member>>()

  constructor(stored: readonly Member[]) {
    for (const member of stored) this.#storiesOf(member).add(member)
  }

  /**
   * Takes a new story; stories are to come in order of publication. It joins the cluster of the
   * story most like it. Two clusters are never merged: what has been answered about a story stays.
   */
  add(story: Member): void {
    const stories = this.#storiesOf(story)
    const alike = stories.find(story)
    const [closest] = alike
    if (closest) this.#join(story, closest)
    for (const other of alike) this.#confirm(story, other)
    stories.add(story)
  }

  #storiesOf({ security_id }: Member): SimilarStories<Member> {
    const known = this.#bySecurity.get(security_id)
    if (known) return known
    const stories = new SimilarStories<Member>()
    this.#bySecurity.set(security_id, stories)
    return stories
  }

  #join(story: Member, closest: Member): void {
    if (closest.cluster_id === null) this.#found(closest)
    story.cluster_id = closest.cluster_id
    this.#note(story)
  }

  #found(founder: Member): void {
    founder.cluster_id = clusterFoundedBy(founder.news_id)
    if (founder.is_stored) this.founders.push(founder)
    else this.#note(founder)
  }

  #note(member: Member): void {
    if (member.cluster_id === null) return
    const members = this.joined.get(member.cluster_id)
    if (members) members.push(member)
    else this.joined.set(member.cluster_id, [member])
  }

  /**
   * Decided by publication, so the order in which two stories arrive makes no difference. Only an
   * earlier confirmation than the known one adds something: it tells how far ahead the story was.
   */
  #confirm(a: Member, b: Member): void {
    const [by, confirmed] = a.source_tier <= TRUSTED_TIER ? [a, b] : [b, a]
    if (by.source_tier > TRUSTED_TIER || confirmed.source_tier <= TRUSTED_TIER) return
    const delay_minutes = (by.published_ms - confirmed.published_ms) / MINUTE_MS
    const known = confirmed.confirmed_after
    if (delay_minutes < 0 || (known !== null && known <= delay_minutes)) return
    this.confirmations.push({ confirmed, by, delay_minutes, known_minutes: known })
    confirmed.confirmed_after = delay_minutes
  }
}

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

const shareOf = (member: Member, cluster_id: string): SourceShare => ({
  cluster_id,
  source_id: member.source_id,
  source_tier: member.source_tier,
  articles: 1,
  first_ms: member.published_ms,
  last_ms: member.published_ms,
  keywords: member.keywords,
})

/** The figures of every touched cluster, from its stored shares and its new members. */
export function clusterRows(
  joined: ReadonlyMap<string, readonly Member[]>,
  stored: readonly SourceShare[],
): ClusterRow[] {
  const shares = new Map<string, SourceShare[]>()
  for (const share of stored) {
    shares.set(share.cluster_id, [...(shares.get(share.cluster_id) ?? []), share])
  }
  return [...joined].flatMap(([cluster_id, members]) => {
    const all = [...(shares.get(cluster_id) ?? []), ...members.map((m) => shareOf(m, cluster_id))]
    const [first] = members
    return first ? [clusterRow(cluster_id, first.security_id, all)] : []
  })
}

function clusterRow(
  cluster_id: string,
  security_id: number,
  shares: readonly SourceShare[],
): ClusterRow {
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
    cluster_id,
    security_id,
    first_published: new Date(first).toISOString(),
    last_published: new Date(last).toISOString(),
    keywords: [...new Set(shares.flatMap((share) => share.keywords))].slice(0, MAX_KEYWORDS),
    article_count,
    source_count,
    avg_tier,
    coordination_score: coordinationScore({ source_count, spread_minutes, avg_tier }),
  }
}
