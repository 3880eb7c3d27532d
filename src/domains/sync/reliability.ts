import { createHash } from 'node:crypto'
import { betaInterval, type Interval } from '../../lib/statistics.js'
import type { Policy } from '../../policy.js'

/** What the results of the positions that cited a source's stories say about it. */
export interface Reliability {
  readonly reliability: number
  readonly interval: Interval
  /** Null while there is no result. */
  readonly accuracy_rate: number | null
  readonly n_eff: number
  /** Whether there are enough results to go by. */
  readonly is_rated: boolean
}

/** A sum of shares means no more: what a thousand of them lose to rounding must decide nothing. */
const WEIGHT_DECIMALS = 9

type Prior = Policy['learning']

/**
 * The mean of a Beta posterior with its equal-tailed interval: a prior that counts for
 * `source_prior_strength` results, and the weights of the wins and losses seen.
 */
export async function reliabilityOf(
  w_win: number,
  w_loss: number,
  prior: Prior,
): Promise<Reliability> {
  const alpha = prior.source_prior_strength * prior.source_prior_mean + w_win
  const beta = prior.source_prior_strength * (1 - prior.source_prior_mean) + w_loss
  const n_eff = Number((w_win + w_loss).toFixed(WEIGHT_DECIMALS))
  return {
    reliability: alpha / (alpha + beta),
    interval: await betaInterval(alpha, beta, prior.source_interval),
    accuracy_rate: n_eff === 0 ? null : w_win / n_eff,
    n_eff,
    is_rated: n_eff >= prior.source_rated_from,
  }
}

/** A digest of what reliabilities depend on beside the evidence: another policy, other figures. */
export const paramsVersion = (prior: Prior): string =>
  createHash('sha256')
    .update(
      JSON.stringify([prior.source_prior_strength, prior.source_prior_mean, prior.source_interval]),
    )
    .digest('hex')
    .slice(0, 16)
