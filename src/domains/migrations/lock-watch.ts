import { setTimeout as delay } from 'node:timers/promises'
import type { Endpoint } from '../../platform/postgres/connection.js'
import { DirectSession } from '../../platform/postgres/direct.js'
import { type Blocker, blockersOf } from './session.sql.js'

/** Well below the shortest useful lock timeout. */
const POLL_MS = 50

/**
 * Does `work` on one session while another looks whom that one waits for; `saw` hears of it. After
 * the wait PostgreSQL no longer knows.
 */
export const watchingLocks = <T>(
  watched: { readonly endpoint: Endpoint; readonly session: DirectSession },
  saw: (blockers: readonly Blocker[]) => void,
  work: () => Promise<T>,
): Promise<T> =>
  DirectSession.use(watched.endpoint, async (observer) => {
    const ended = new AbortController()
    const looking = look(observer, watched.session, saw, ended.signal)
    try {
      return await work()
    } finally {
      ended.abort()
      await looking
    }
  })

async function look(
  observer: DirectSession,
  { backendPid }: DirectSession,
  saw: (blockers: readonly Blocker[]) => void,
  ended: AbortSignal,
): Promise<void> {
  while (!ended.aborted) {
    // To know whom the other waits for is not worth failing for.
    const blockers = await observer.many(blockersOf(backendPid)).catch(() => [])
    if (blockers.length > 0) saw(blockers)
    await delay(POLL_MS, undefined, { signal: ended }).catch(() => {})
  }
}
