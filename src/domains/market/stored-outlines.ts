import { inTurns } from '../../lib/turns.js'
import type { OutlineRow } from './clusters.sql.js'
import type { Member } from './news-clusters.js'
import { mayBeAlike, unpackBits, type WordBits } from './word-bits.js'

interface Outline {
  readonly news_id: string
  readonly source_id: number
  readonly bits: WordBits
}

/** Bound on what one story makes be read, where a company has many stories of the same words. */
const MAX_FETCHED = 500

function outlinesOf(row: OutlineRow): Outline[] {
  const sources = row.source_ids.split(',')
  const bits = row.word_bits.split(',')
  const counts = row.word_counts.split(',')
  return row.news_ids.split(',').map((news_id, i) => ({
    news_id,
    source_id: Number(sources[i]),
    bits: unpackBits(Number(bits[i]), Number(counts[i])),
  }))
}

/** The ids of stored stories, of other sources, that may tell the same as one of these. */
export async function likelyMatches(
  stories: readonly Member[],
  rows: readonly OutlineRow[],
): Promise<string[]> {
  const outlines = new Map<number, Outline[]>()
  await inTurns(rows, (row) => {
    outlines.set(row.security_id, [...(outlines.get(row.security_id) ?? []), ...outlinesOf(row)])
  })
  const ids = new Set<string>()
  await inTurns(stories, (story) => {
    const stored = outlines.get(story.security_id)
    if (stored) collectMatches(story, stored, ids)
  })
  return [...ids]
}

function collectMatches(story: Member, stored: readonly Outline[], ids: Set<string>): void {
  let found = 0
  for (const outline of stored) {
    if (outline.source_id === story.source_id || !mayBeAlike(story.bits, outline.bits)) continue
    ids.add(outline.news_id)
    if (++found === MAX_FETCHED) return
  }
}
