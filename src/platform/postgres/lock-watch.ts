import { setTimeout as delay } from 'node:timers/promises'
import type { Endpoint } from './connection.js'
import { DirectSession } from './direct.js'
import { machinerySql as sql } from './sql.js'

/** A session that holds what another waits for. */
export interface Blocker {
  readonly pid: number
  readonly application_name: string
  readonly transaction_seconds: number | null
}

/** Well below the shortest useful lock timeout. */
const POLL_MS = 50

/**
 * Does `work` on one session while another looks whom that one waits for, and keeps it in `blockers`: after
 * the wait PostgreSQL no longer knows.
 */
export const watchingLocks = <T>(
  { endpoint, session }: { readonly endpoint: Endpoint; readonly session: DirectSession },
  blockers: Blocker[],
  work: () => Promise<T>,
): Promise<T> =>
  DirectSession.use(endpoint, async (observer) => {
    const ended = new AbortController()
    const look = async (): Promise<void> => {
      while (!ended.signal.aborted) {
        // To know whom the other waits for is not worth failing for.
        const found = await observer.many(blockersOf(session.backendPid)).catch(() => [])
        if (found.length > 0) blockers.splice(0, blockers.length, ...found)
        await delay(POLL_MS, undefined, { signal: ended.signal }).catch(() => {})
      }
    }
    const looking = look()
    try {
      return await work()
    } finally {
      ended.abort()
      await looking
    }
  })

const blockersOf = (pid: number | null) => sql<Blocker>`
  select
    pid,
    application_name,
    extract(epoch from clock_timestamp() - xact_start)::integer as transaction_seconds
  from pg_stat_activity
  where pid = any(pg_blocking_pids(${pid}::integer))
  order by xact_start
  limit 3`
