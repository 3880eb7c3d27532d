/** What is known of the stories that tell one narrative. */
export interface Narrative {
  readonly source_count: number
  /** From the first to the last publication. */
  readonly spread_minutes: number
  /** Over the distinct sources, so that one loud source does not outvote the others. */
  readonly avg_tier: number
}

const MIN_SOURCES = 3
const FULL_SOURCES = 5
const FULL_SPREAD_MINUTES = 60

/**
 * How much a narrative looks placed rather than found, 0 to 100: 0 below 3 sources, else
 * 100 · (0.4 · min(1, (sources − 1)/4) + 0.3 · (1 − min(1, spread/60)) + 0.3 · (avg_tier − 1)/4).
 */
export function coordinationScore(narrative: Narrative): number {
  const { source_count, spread_minutes, avg_tier } = narrative
  if (source_count < MIN_SOURCES) return 0
  const many = Math.min(1, (source_count - 1) / (FULL_SOURCES - 1))
  const together = 1 - Math.min(1, spread_minutes / FULL_SPREAD_MINUTES)
  const lowTier = (avg_tier - 1) / 4
  return Math.round(100_000 * (0.4 * many + 0.3 * together + 0.3 * lowTier)) / 1000
}
