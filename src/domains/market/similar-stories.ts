import { jaccard } from './headline.js'
import { mayBeAlike, type WordBits } from './word-bits.js'

/** A story as it is compared with others of the same security. */
export interface Told {
  readonly source_id: number
  readonly published_ms: number
  readonly norm: string
  readonly bits: WordBits
}

/** Headlines with this share of common words, within a day, tell the same story (duplicate rule 3). */
const SAME_STORY = 0.6

/** How far apart in time stories that tell the same may lie. */
export const SAME_STORY_WINDOW_MS = 24 * 3_600_000

/**
 * Bounds on the work for one story. A symbol with thousands of stories a day made from one template
 * would otherwise be compared all with all.
 */
const MAX_COMPARISONS = 5_000

/** The most stories one is found to be like. */
export const MAX_MATCHES = 8

interface Match<S> {
  readonly story: S
  readonly likeness: number
}

/** Stories of one security, to be searched for those that tell the same. */
export class SimilarStories<S extends Told> {
  readonly #stories: S[] = []

  add(story: S): void {
    this.#stories.push(story)
  }

  /** Stories of other sources that tell the same as this one, the most alike first. */
  find(story: S): S[] {
    const found: Match<S>[] = []
    const end = Math.max(0, this.#stories.length - MAX_COMPARISONS)
    for (let i = this.#stories.length - 1; i >= end && found.length < MAX_MATCHES; i--) {
      const other = this.#stories[i]
      if (!other || !mayMatch(story, other) || !mayBeAlike(story.bits, other.bits)) continue
      const likeness = jaccard(story.norm, other.norm)
      if (likeness >= SAME_STORY) found.push({ story: other, likeness })
    }
    return found
      .sort((a, b) => b.likeness - a.likeness || apart(a.story, story) - apart(b.story, story))
      .map((match) => match.story)
  }
}

const apart = (a: Told, b: Told): number => Math.abs(a.published_ms - b.published_ms)

const mayMatch = (a: Told, b: Told): boolean =>
  a.source_id !== b.source_id && apart(a, b) <= SAME_STORY_WINDOW_MS
