/**
 * What work answers, and how often it let others have their turn. Not for how long it did not: on a
 * busy machine that is the machine's doing.
 */
export async function turnsDuring<T>(
  work: () => Promise<T>,
): Promise<{ answer: T; turns: number }> {
  let turns = 0
  const timer = setInterval(() => {
    turns++
  }, 1)
  try {
    return { answer: await work(), turns }
  } finally {
    clearInterval(timer)
  }
}
