import { AppError } from '../../errors.js'
import type { Deleted } from './cache-store.js'

/** Who waits for a deletion, and who is told of its steps. */
interface Listener {
  readonly signal?: AbortSignal | undefined
  readonly deleted?: Deleted | undefined
}

/** Deletes step by step until the caller goes away; the number of keys that existed. */
export async function deleteSteps(
  steps: AsyncIterable<string[]> | Iterable<string[]>,
  remove: (keys: string[]) => Promise<number>,
  { signal, deleted }: Listener = {},
): Promise<number> {
  let total = 0
  for await (const keys of steps) {
    stopIfAborted(signal)
    if (keys.length === 0) continue
    const count = await remove(keys)
    total += count
    deleted?.(count)
  }
  return total
}

function stopIfAborted(signal: AbortSignal | undefined): void {
  if (!signal?.aborted) return
  if (signal.reason instanceof AppError) throw signal.reason
  throw new AppError('cancelled', 'Stopped halfway; the keys deleted so far stay deleted.', {
    cause: signal.reason,
  })
}
