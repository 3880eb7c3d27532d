import { setTimeout as delay } from 'node:timers/promises'
import { AppError, abortError } from '../../errors.js'
import type { DirectSession } from '../../platform/postgres/direct.js'
import * as statements from './session.sql.js'

const WAIT_MS = 60_000
const POLL_MS = 100

/**
 * Runs `work` while no other runner of this database runs.
 *
 * @throws AppError `conflict` when another one holds the lock for a minute
 */
export async function withRunnerLock<T>(
  session: DirectSession,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  const deadline = Date.now() + WAIT_MS
  for (;;) {
    if (signal.aborted) throw abortError(signal)
    const [row] = await session.many(statements.tryLock())
    if (row?.locked) break
    if (Date.now() > deadline) throw await lockedOut(session)
    await delay(POLL_MS * (0.5 + Math.random()))
  }
  try {
    return await work()
  } finally {
    // A lost connection has given it back already.
    await session.many(statements.unlock()).catch(() => {})
  }
}

/** True while some runner holds the lock. */
export const isRunning = async (session: DirectSession): Promise<boolean> =>
  (await session.many(statements.lockHolder())).length > 0

async function lockedOut(session: DirectSession): Promise<AppError> {
  const [holder] = await session.many(statements.lockHolder())
  const who = holder ? ` (backend ${holder.pid}, "${holder.application_name}")` : ''
  return new AppError(
    'conflict',
    `Another runner${who} has held the migration lock for a minute.`,
    {
      hint: 'Wait for it to finish, or end that backend, then start again.',
      retryable: true,
    },
  )
}
