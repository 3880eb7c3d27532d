/** A probability interval of a share, both ends from 0 to 1. */
export interface Interval {
  readonly low: number
  readonly high: number
}

/** The 0.975 quantile of the standard normal distribution (ISO 3534-1), for 95 % intervals. */
const Z_95 = 1.959963984540054

/**
 * The Wilson score interval, 95 %, of `wins` out of `n`; without any trial it is 0 to 1.
 * Wilson (1927), Journal of the American Statistical Association 22, 209-212.
 */
export function wilsonInterval(wins: number, n: number): Interval {
  if (n === 0) return { low: 0, high: 1 }
  const rate = wins / n
  const z2 = Z_95 * Z_95
  const center = (rate + z2 / (2 * n)) / (1 + z2 / n)
  const half = (Z_95 * Math.sqrt((rate * (1 - rate)) / n + z2 / (4 * n * n))) / (1 + z2 / n)
  return { low: Math.max(0, center - half), high: Math.min(1, center + half) }
}

/**
 * The equal-tailed interval that holds a Beta(alpha, beta) share with this probability (0-1).
 * The quantile function is loaded at the first use: it takes longer than a server may take to start.
 */
export async function betaInterval(
  alpha: number,
  beta: number,
  probability: number,
): Promise<Interval> {
  const { default: quantile } = await import('@stdlib/stats-base-dists-beta-quantile')
  const tail = (1 - probability) / 2
  return { low: quantile(tail, alpha, beta), high: quantile(1 - tail, alpha, beta) }
}
