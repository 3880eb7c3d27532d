import { setTimeout as delay } from 'node:timers/promises'
import { AppError } from '../../../errors.js'
import type { Endpoint } from '../../../platform/postgres/connection.js'
import { DirectSession } from '../../../platform/postgres/direct.js'
import type { Restored } from './restore.js'
import { describeSide, dropSide, RESTORER } from './side.js'
import { endSessionsIn } from './side.sql.js'
import {
  allowConnections,
  dropSlotsOf,
  hasJobs,
  isEmpty,
  otherDatabase,
  renameDatabase,
  sessionsIn,
  takeOverJobs,
  unfinishedJobs,
} from './swap.sql.js'

/** What a swap did. */
export interface Swapped {
  /** Where the database is that was there before; null when nothing was in it, and it was dropped. */
  readonly kept: string | null
}

/** Sessions are ended at once, and some take a moment to go. */
const PATIENCE_MS = 10_000

/**
 * Puts a restored database in the place of the one that is there, which is kept under another name: both renames are
 * one transaction, so that there is always exactly one of that name. Whoever is connected is cut off.
 *
 * @throws AppError `conflict` when sessions cannot be ended; then everything is as before
 */
export async function swapIn(
  endpoint: Endpoint,
  restored: Restored,
  step: ((name: string) => unknown) | undefined,
): Promise<Swapped> {
  const { database: current } = endpoint
  const old = oldName(current, restored.restore_id)
  const wasEmpty = await ask(endpoint, current, async (session) => {
    const [row] = await session.many(isEmpty())
    return row?.empty ?? false
  })
  await handOverJobs(endpoint, restored.database)
  await step?.('swap:jobs-handed-over')
  const elsewhere = await ask(endpoint, current, async (session) => {
    const [found] = await session.many(otherDatabase([current, restored.database]))
    if (!found) throw noOtherDatabase()
    return found.name
  })
  await ask(endpoint, elsewhere, async (session) => {
    await session.many(allowConnections(current, false))
    try {
      await empty(session, current)
      await empty(session, restored.database)
      await step?.('swap:before-rename')
      await session.command('begin')
      await session.many(renameDatabase(current, old))
      await step?.('swap:between-renames')
      await session.many(renameDatabase(restored.database, current))
      await session.command('commit')
    } catch (error) {
      await session.command('rollback')
      await session.many(allowConnections(current, true))
      throw error
    }
    await step?.('swap:renamed')
    await session.many(allowConnections(old, true))
    await session.many(dropSlotsOf(old))
  })
  await describeSide(endpoint, current, null)
  if (wasEmpty) {
    await dropSide(endpoint, old)
    return { kept: null }
  }
  await describeSide(endpoint, old, { ...restored.description, state: 'replaced' })
  return { kept: old }
}

/** The name of what was there before a swap. */
export const oldName = (database: string, restoreId: string): string => {
  const ending = `__old_${restoreId.slice('rst_'.length)}`
  const bytes = Buffer.from(database).subarray(0, 63 - ending.length)
  return `${bytes.toString('utf8').replace(/\uFFFD+$/, '')}${ending}`
}

const ask = <T>(
  endpoint: Endpoint,
  database: string,
  work: (session: DirectSession) => Promise<T>,
): Promise<T> => DirectSession.use(endpoint, work, { name: RESTORER, database })

/** The restore is a job itself, which is to end in the database that is there by then. */
async function handOverJobs(endpoint: Endpoint, database: string): Promise<void> {
  const jobs = await ask(endpoint, endpoint.database, async (session) => {
    const [there] = await session.many(hasJobs())
    if (!there?.found) return null
    const [row] = await session.many(unfinishedJobs())
    return row?.jobs ?? null
  })
  if (jobs === null) return
  await ask(endpoint, database, async (session) => {
    const [there] = await session.many(hasJobs())
    if (there?.found) await session.many(takeOverJobs(jobs))
  })
}

async function empty(session: DirectSession, database: string): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS
  for (;;) {
    const sessions = await session.many(sessionsIn(database))
    if (sessions.length === 0) return
    if (performance.now() > deadline) throw inUse(sessions.length)
    await session.many(endSessionsIn(database)).catch((error: unknown) => {
      if (performance.now() > deadline) throw error
    })
    await delay(50)
  }
}

const inUse = (sessions: number): AppError =>
  new AppError(
    'conflict',
    `${sessions} sessions in the database could not be ended, so that it was not replaced.`,
    {
      hint: 'Nothing was changed. Let those applications disconnect, or grant pg_signal_backend to the role of DATABASE_URL, and call again.',
    },
  )

const noOtherDatabase = (): AppError =>
  new AppError(
    'precondition_failed',
    'There is no other database on this server to which the role of DATABASE_URL may connect, and a database cannot be renamed by who is in it.',
    { hint: 'Create one called postgres, or restore beside it and point DATABASE_URL there.' },
  )
