/** The middle of some numbers. */
export const median = (values) => quantile(values, 0.5)

/** The value that a share `q` of the numbers does not exceed; between two of them, interpolated. */
export function quantile(values, q) {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (sorted.length - 1) * q
  const low = sorted[Math.floor(at)]
  const high = sorted[Math.ceil(at)]
  if (low === undefined || high === undefined) throw new Error('no values were measured')
  return low + (high - low) * (at - Math.floor(at))
}

/**
 * Runs every side once per round, in another order each round, so that a machine that grows slower
 * meanwhile is unfair to none. Answers one object of the sides' results per round.
 */
export async function interleave(rounds, sides, afterRound = async () => {}) {
  const names = Object.keys(sides)
  const results = []
  for (let round = 0; round < rounds; round++) {
    const turn = round % names.length
    const result = {}
    for (const name of [...names.slice(turn), ...names.slice(0, turn)]) {
      result[name] = await sides[name](round)
    }
    results.push(result)
    await afterRound(round)
  }
  return results
}

/** Milliseconds that `work` takes. */
export async function timed(work) {
  const started = performance.now()
  await work()
  return performance.now() - started
}

/** Calls `work(0)` to `work(count - 1)`, `inFlight` at a time; answers the milliseconds of each. */
export async function timedEach(count, inFlight, work) {
  const times = new Array(count)
  let next = 0
  const worker = async () => {
    for (let i = next++; i < count; i = next++) times[i] = await timed(() => work(i))
  }
  await Promise.all(Array.from({ length: inFlight }, worker))
  return times
}

/** Stops the bench when it has not done what it is timed for. */
export function verify(holds, message) {
  if (!holds) throw new Error(`the bench is wrong: ${message}`)
}
