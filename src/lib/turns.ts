import { setImmediate as nextTurn } from 'node:timers/promises'

/** How long one request may compute before others get their turn, in milliseconds. */
const SLICE_MS = 4

/**
 * Lets other requests have a turn. Twice, because the first immediate after I/O comes before the
 * event loop looks for more I/O.
 */
export async function giveTurn(): Promise<void> {
  await nextTurn()
  await nextTurn()
}

/** Visits items one after the other; other requests get their turns in between. */
export async function inTurns<T>(items: Iterable<T>, visit: (item: T) => void): Promise<void> {
  let end = performance.now() + SLICE_MS
  for (const item of items) {
    visit(item)
    if (performance.now() < end) continue
    await nextTurn()
    end = performance.now() + SLICE_MS
  }
}
