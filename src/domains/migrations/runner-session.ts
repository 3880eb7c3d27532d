import type { Endpoint } from '../../platform/postgres/connection.js'
import { DirectSession } from '../../platform/postgres/direct.js'
import { translate } from '../../platform/postgres/errors.js'
import { foreignSchema } from './refusals.js'
import { withRunnerLock } from './runner-lock.js'
import { prepareSession } from './session.sql.js'
import { createLedger, type LedgerRow, type LedgerState, ledgerState, listLedger } from './sql.js'

/**
 * Runs `work` on a connection of its own that only reads the ledger.
 *
 * @throws AppError `precondition_failed` when only a pooled connection is available, or when the
 *   schema is somebody else's
 */
export const reading = <T>(
  endpoint: Endpoint,
  work: (session: DirectSession) => Promise<T>,
): Promise<T> =>
  DirectSession.use(endpoint, async (session) => {
    try {
      return await work(session)
    } catch (error) {
      throw translate(error)
    }
  })

/**
 * Runs `work` on a connection of its own as the only runner of the database.
 *
 * @throws AppError `precondition_failed` when only a pooled connection is available
 */
export const asRunner = <T>(
  endpoint: Endpoint,
  signal: AbortSignal,
  work: (session: DirectSession) => Promise<T>,
): Promise<T> =>
  reading(endpoint, (session) => withRunnerLock(session, signal, () => work(session)))

/** The ledger; empty where there is none yet. */
export async function readLedger(session: DirectSession): Promise<LedgerRow[]> {
  const { present } = await stateOf(session)
  return present ? session.many(listLedger()) : []
}

/** The ledger in the form that this build writes; made or brought to it when need be. */
export async function openLedger(session: DirectSession): Promise<LedgerRow[]> {
  if (!(await hasCurrentLedger(session))) await session.many(createLedger())
  return session.many(listLedger())
}

/** True when nothing has to be done before the ledger is written. */
export async function hasCurrentLedger(session: DirectSession): Promise<boolean> {
  return (await stateOf(session)).is_current
}

/** Nothing is read from a schema that is not ours, or written into it. */
async function stateOf(session: DirectSession): Promise<LedgerState> {
  const [state] = await session.many(ledgerState())
  if (!state) throw new Error('the catalog did not say what the schema is')
  if (state.is_foreign) throw foreignSchema()
  return state
}

/** Makes a session as new for the next script; true when the log is decoded by somebody. */
export async function renewSession(session: DirectSession): Promise<boolean> {
  await session.renew()
  const [settings] = await session.many(prepareSession())
  return settings?.wal_level === 'logical'
}
