import { AppError } from '../../errors.js'
import { barStart } from '../../lib/timeframes.js'
import { utcText } from '../../lib/utc-text.js'
import type { PatternDetection } from './patterns.schemas.js'
import type { DetectionRow, KnownRow } from './patterns.sql.js'

/** Clocks differ, but not by more. */
const FUTURE_TOLERANCE_MS = 5 * 60_000

/**
 * A detection as it is stored, all but its security.
 *
 * @throws AppError `invalid_input` when it lies in the future
 */
export function detectionRow(
  { catalyst_alignment, ...given }: PatternDetection,
  now: Date,
): Omit<DetectionRow, 'security_id'> {
  const detected_at = utcText(given.detected_at ?? now.toISOString())
  const detectedMs = Date.parse(detected_at)
  if (detectedMs > now.getTime() + FUTURE_TOLERANCE_MS) {
    throw new AppError(
      'invalid_input',
      'detected_at: must not lie more than 5 minutes in the future',
    )
  }
  return {
    pattern_type: given.pattern_type,
    timeframe: given.timeframe,
    direction: given.direction ?? null,
    confidence: given.confidence,
    bar_time: new Date(barStart(given.timeframe, detectedMs)).toISOString(),
    detected_at,
    has_catalyst: catalyst_alignment.has_catalyst,
    catalyst_type: catalyst_alignment.catalyst_type ?? null,
    alignment_score: catalyst_alignment.alignment_score,
    price: given.price ?? null,
  }
}

/** Where a repeated detection contradicts the stored one, which stays as it is. */
export const differences = (known: KnownRow): string[] => [
  ...(known.other_confidence ? ['confidence: differs from the stored one, which stays'] : []),
  ...(known.other_direction ? ['direction: differs from the stored one, which stays'] : []),
  ...(known.other_alignment
    ? ['catalyst_alignment: differs from the stored one, which stays']
    : []),
  ...(known.other_price ? ['price: differs from the stored one, which stays'] : []),
]
