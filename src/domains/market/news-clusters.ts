import { groupBy } from '../../lib/group-by.js'
import { inTurns } from '../../lib/turns.js'
import type { Gist } from './gist.js'
import { canConfirm, contradiction, isSameStory, statementOf } from './same-story.js'
import { clusterFoundedBy } from './story.js'
import { mayBeAlike, type WordBits } from './word-bits.js'

/** A story as clusters see it. */
export interface Member {
  readonly news_id: string
  readonly security_id: number
  readonly source_id: number
  readonly source_tier: number
  /** Of its first telling, like keywords and gist. */
  readonly published_ms: number
  readonly keywords: readonly string[]
  readonly gist: Gist
  readonly bits: WordBits
  /** Stored before this call. */
  readonly is_stored: boolean
  /** Its links to other stored ones are known: it is stored, and no earlier telling has come in. */
  readonly is_linked: boolean
  /** Lower for a story that was answered earlier: 0 for stored ones. Clusters keep the names answered. */
  readonly rank: number
  /** Minutes until the earliest known tier 1-2 story confirmed it. */
  readonly confirmed_after: number | null
  /** The thread its stored cluster belongs to. */
  readonly thread_id: string | null
  cluster_id: string | null
}

/** A trusted source told what a less trusted one had told before. */
export interface Confirmation {
  readonly confirmed: Member
  readonly by: Member
  readonly delay_minutes: number
}

/** Stories that are linked by others that tell the same, whether they agree with each other or not. */
export interface Thread {
  readonly thread_id: string
  /** Of the stored threads that it continues. */
  readonly known_ids: readonly string[]
  readonly members: Member[]
}

/** What new stories are linked to. */
export interface Links {
  readonly threads: readonly Thread[]
  /** Stored stories that nothing is linked to any more. */
  readonly alone: readonly Member[]
  readonly confirmations: readonly Confirmation[]
}

const TRUSTED_TIER = 2
const MINUTE_MS = 60_000

/** How far apart in time stories that tell the same may lie (duplicate rule 3). */
export const SAME_STORY_WINDOW_MS = 24 * 3_600_000

/**
 * Bounds on the work for one story: how many are looked at, and how many of the same words are
 * compared. A symbol with more stories a day made from one template would otherwise be compared all
 * with all; only there the order of arrival can make a difference.
 */
const MAX_LOOKED_AT = 5_000
const MAX_COMPARED = 500

/** As many trusted stories are noted for one that they confirm, the earliest ones. */
export const MAX_CONFIRMATIONS = 8

/** In order of publication, which is the same whatever order they arrive in. */
const byPublication = (a: Member, b: Member): number =>
  a.published_ms - b.published_ms || (a.news_id < b.news_id ? -1 : 1)

/** Links new stories to each other and to stored ones (duplicate rule 3). */
export async function findLinks(
  fresh: readonly Member[],
  stored: readonly Member[],
): Promise<Links> {
  const bySecurity = groupBy([...stored, ...fresh], ({ security_id }) => security_id)
  const [threads, alone, confirmations]: [Thread[], Member[], Confirmation[]] = [[], [], []]
  for (const members of bySecurity.values()) {
    const links = new SecurityLinks(members.sort(byPublication))
    await inTurns(members.keys(), (i) => links.link(i))
    threads.push(...links.threads())
    alone.push(...links.alone())
    confirmations.push(...links.confirmations)
  }
  return { threads, alone, confirmations }
}

/** Stories of one security; each is linked to those published before it. */
class SecurityLinks {
  readonly confirmations: Confirmation[] = []
  readonly #members: readonly Member[]
  /** The parent of each in its thread. */
  readonly #parents: Int32Array
  readonly #timesConfirmed: Uint8Array

  constructor(members: readonly Member[]) {
    this.#members = members
    this.#parents = Int32Array.from(members.keys())
    this.#timesConfirmed = new Uint8Array(members.length)
    const threads = new Map<string, number>()
    for (const [i, { thread_id }] of members.entries()) {
      if (thread_id === null) continue
      const first = threads.get(thread_id)
      if (first === undefined) threads.set(thread_id, i)
      else this.#parents[i] = first
    }
  }

  link(i: number): void {
    const story = this.#members[i]
    if (!story) return
    const oldest = Math.max(0, i - MAX_LOOKED_AT)
    let compared = 0
    for (let j = i - 1; j >= oldest; j--) {
      const other = this.#members[j]
      if (!other || story.published_ms - other.published_ms > SAME_STORY_WINDOW_MS) return
      if (other.source_id === story.source_id || (story.is_linked && other.is_linked)) continue
      if (!mayBeAlike(story.bits, other.bits)) continue
      this.#compare(i, j, story, other)
      if (++compared === MAX_COMPARED) return
    }
  }

  #compare(i: number, j: number, story: Member, other: Member): void {
    const confirmed = this.#isConfirmable(i, j, story, other)
    if (confirmed < 0 && this.#rootOf(i) === this.#rootOf(j)) return
    if (!isSameStory(story.gist, other.gist)) return
    this.#parents[this.#rootOf(i)] = this.#rootOf(j)
    if (confirmed < 0 || !canConfirm(story.gist, other.gist)) return
    this.#confirm(confirmed, confirmed === i ? j : i)
  }

  /** Which of the two the other confirms, or -1: a trusted one a less trusted one told before. */
  #isConfirmable(i: number, j: number, later: Member, earlier: Member): number {
    if (later.gist.direction !== earlier.gist.direction) return -1
    const isTrusted = later.source_tier <= TRUSTED_TIER
    if (isTrusted === earlier.source_tier <= TRUSTED_TIER) return -1
    const confirmed = isTrusted ? j : i
    if (!isTrusted && later.published_ms !== earlier.published_ms) return -1
    return (this.#timesConfirmed[confirmed] ?? 0) < MAX_CONFIRMATIONS ? confirmed : -1
  }

  #confirm(index: number, byIndex: number): void {
    const [confirmed, by] = [this.#members[index], this.#members[byIndex]]
    if (!confirmed || !by) return
    this.#timesConfirmed[index] = (this.#timesConfirmed[index] ?? 0) + 1
    const delay_minutes = (by.published_ms - confirmed.published_ms) / MINUTE_MS
    this.confirmations.push({ confirmed, by, delay_minutes })
  }

  #rootOf(i: number): number {
    const parents = this.#parents
    let root = i
    while (parents[root] !== root) root = parents[root] ?? root
    let step = i
    while (step !== root) {
      const next = parents[step] ?? root
      parents[step] = root
      step = next
    }
    return root
  }

  /** Threads of two or more stories, among them one that has been linked here. */
  threads(): Thread[] {
    return this.#groups().flatMap((members) => {
      const [first] = members
      if (!first || members.length < 2 || members.every(({ is_linked }) => is_linked)) return []
      const known_ids = [...new Set(members.flatMap(({ thread_id }) => thread_id ?? []))]
      return [{ thread_id: clusterFoundedBy(first.news_id), known_ids, members }]
    })
  }

  alone(): Member[] {
    const single = this.#groups().flatMap((members) => (members.length === 1 ? members : []))
    return single.filter(({ is_linked, cluster_id }) => !is_linked && cluster_id !== null)
  }

  #groups(): Member[][] {
    const groups = groupBy(this.#members.entries(), ([i]) => this.#rootOf(i))
    return [...groups.values()].map((entries) => entries.map(([, member]) => member))
  }
}

/** Stories that tell the same and agree with each other. */
export interface Cluster {
  readonly cluster_id: string
  readonly thread_id: string
  readonly members: readonly Member[]
}

/** What new stories change in the clusters. */
export interface Clustering {
  /** Every cluster of the threads that a new story joins or founds. */
  readonly clusters: readonly Cluster[]
  /** Stored stories that are in another cluster now, or in none. */
  readonly moved: readonly Member[]
  /** Clusters that were there before and may be empty now. */
  readonly left: readonly string[]
  /** Clusters with stories that were not read, because there are too many. */
  readonly unread: readonly string[]
  readonly confirmations: readonly Confirmation[]
  /** Confirmations that no longer hold. */
  readonly withdrawn: readonly Confirmation[]
  /** Stored stories linked anew, with the minutes until the earliest trusted one now. */
  readonly relinked: ReadonlyMap<Member, number | null>
}

/** How long before the first of these confirmations each story was told. */
export function earliest(confirmations: readonly Confirmation[]): Map<Member, number> {
  const delays = new Map<Member, number>()
  for (const { confirmed, delay_minutes } of confirmations) {
    delays.set(confirmed, Math.min(delay_minutes, delays.get(confirmed) ?? delay_minutes))
  }
  return delays
}

/** Stored stories that new ones put into another cluster, confirm, or are confirmed by. */
export const changedBy = ({ moved, confirmations, withdrawn }: Clustering): Member[] => {
  const linked = [...confirmations, ...withdrawn].flatMap(({ confirmed, by }) => [confirmed, by])
  return [...new Set([...moved, ...linked.filter(({ is_stored }) => is_stored)])]
}

/**
 * The clusters of a thread: all of it, or, where some contradict others of it,
 * those that say the same of what they contradict in: whoever arrived first makes no difference.
 */
export function clustersOf({ members }: Thread, isCut: boolean): Cluster[] {
  const inOrder = [...members].sort(byPublication)
  const [first] = inOrder
  if (!first) return []
  const thread_id = (isCut ? first.thread_id : null) ?? clusterFoundedBy(first.news_id)
  return agreeing(inOrder).flatMap((group) => {
    const cluster_id = nameOf(group, isCut)
    return cluster_id === null ? [] : [{ cluster_id, thread_id, members: group }]
  })
}

/**
 * The name that was answered first stays where its story is, so that no two clusters have one name.
 * Where not all of the thread was read, the story may be among the others.
 */
function nameOf(members: readonly Member[], isCut: boolean): string | null {
  const [known] = [...members].sort((a, b) => a.rank - b.rank || byPublication(a, b))
  if (!known) return null
  const { cluster_id, news_id } = known
  const isFounderHere = members.some((member) => clusterFoundedBy(member.news_id) === cluster_id)
  return cluster_id !== null && (isCut || isFounderHere) ? cluster_id : clusterFoundedBy(news_id)
}

function agreeing(members: readonly Member[]): (readonly Member[])[] {
  const kind = contested(members)
  if (kind === null) return [members]
  const groups = groupBy(members, ({ gist }) => statementOf(gist, kind))
  return [...groups.values()].flatMap(agreeing)
}

function contested(members: readonly Member[]): string | null {
  for (const [i, { gist }] of members.entries()) {
    for (let j = 0; j < i; j++) {
      const other = members[j]
      const kind = other ? contradiction(gist, other.gist) : null
      if (kind !== null) return kind
    }
  }
  return null
}
