import { AppError } from '../../errors.js'
import type { Endpoint } from '../../platform/postgres/connection.js'
import { DirectSession } from '../../platform/postgres/direct.js'
import { sqlState } from '../../platform/postgres/errors.js'
import type { ScriptLogin, ScriptSession } from '../../platform/postgres/roles/script-login.js'
import { settleRows } from './commit.js'
import type { FileLosses } from './measure/loss.js'
import type { Author } from './recording.js'
import { foreignSchema } from './refusals.js'
import { withRunnerLock } from './runner-lock.js'
import { prepareSession } from './session.sql.js'
import {
  createLedger,
  findLosses,
  type LedgerRow,
  type LedgerState,
  ledgerState,
  listLedger,
} from './sql.js'
import { pinSettings } from './wire.js'

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
  DirectSession.use(endpoint, (session) => withRunnerLock(session, signal, () => work(session)))

/** The ledger; empty where there is none yet. */
export async function readLedger(session: DirectSession): Promise<LedgerRow[]> {
  const { present } = await stateOf(session)
  return present ? session.many(listLedger()) : []
}

/**
 * The ledger in the form that this build writes; made or brought to it when need be. What an earlier
 * runner committed without a word is written down.
 */
export async function openLedger(author: Author): Promise<LedgerRow[]> {
  const { session } = author
  if (!(await hasCurrentLedger(session))) await session.many(createLedger())
  const rows = await session.many(listLedger())
  return (await settleRows(author, rows)) ? session.many(listLedger()) : rows
}

/** What a plan was last measured to lose; null when it was not measured. */
export async function knownLosses(
  session: DirectSession,
  plan: string,
): Promise<readonly FileLosses[] | null> {
  if (!(await hasCurrentLedger(session))) return null
  const [row] = await session.many(findLosses(plan))
  return row?.losses ?? null
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

/** A server of another database has given the role of scripts a newer password. */
const MAX_LOGINS = 10

/** Runs `work` on a connection of its own for one script, which is closed with whatever it left there. */
export async function asScript<T>(
  scripts: ScriptLogin,
  runner: DirectSession,
  work: (script: ScriptSession) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const { endpoint, login, admit, refused, heir, limitedTo } = await scripts.place(runner)
    let isIn = false
    const use = async (session: DirectSession): Promise<T> => {
      isIn = true
      await session.many(pinSettings())
      await admit(session)
      return work({ session, heir, limitedTo, marksSchemaChanges: await prepared(session) })
    }
    try {
      return await DirectSession.use(endpoint, use, login)
    } catch (error) {
      if (isIn || !isRefusedLogin(error)) throw error
      if (login?.password === undefined || attempt === MAX_LOGINS) throw refused(error)
    }
  }
}

/** SQLSTATE class 28: who wants in is not let in. */
const isRefusedLogin = (error: unknown): error is AppError =>
  error instanceof AppError && /^28/.test(sqlState(error.cause) ?? '')

/** Runs `work` for one of the product's own scripts, on the runner's connection. */
export async function asOwnScript<T>(
  session: DirectSession,
  work: (script: ScriptSession) => Promise<T>,
): Promise<T> {
  await session.many(pinSettings())
  const marksSchemaChanges = await prepared(session)
  return work({ session, heir: null, limitedTo: null, marksSchemaChanges })
}

/** True when the log is decoded by somebody. */
async function prepared(session: DirectSession): Promise<boolean> {
  const [settings] = await session.many(prepareSession())
  return settings?.wal_level === 'logical'
}
