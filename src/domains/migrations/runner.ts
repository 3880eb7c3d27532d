import { setTimeout as delay } from 'node:timers/promises'
import { AppError, abortError } from '../../errors.js'
import type { Endpoint } from '../../platform/postgres/connection.js'
import { DirectSession } from '../../platform/postgres/direct.js'
import { sqlState } from '../../platform/postgres/errors.js'
import { pinSettings } from '../../platform/postgres/measure/wire.js'
import type { ScriptLogin, ScriptSession } from '../../platform/postgres/roles/script-login.js'
import { machinerySql as sql } from '../../platform/postgres/sql.js'

/** The runners' advisory lock: a class of ours, so that no other use of advisory locks meets it. */
const LOCK_CLASS = 1_127_429_203
const RUNNER_LOCK = 1

/** Never the blocking form: CREATE INDEX CONCURRENTLY would deadlock with a waiter. */
const tryLock = () => sql<{ locked: boolean }>`
  select pg_try_advisory_lock(${LOCK_CLASS}::integer, ${RUNNER_LOCK}::integer) as locked`

const unlock = () => sql`
  select pg_advisory_unlock(${LOCK_CLASS}::integer, ${RUNNER_LOCK}::integer)`

const lockHolder = () => sql<{ pid: number; application_name: string }>`
  select activity.pid, activity.application_name
  from pg_locks as held
  join pg_stat_activity as activity using (pid)
  where held.locktype = 'advisory'
    and held.granted
    and held.database = (select oid from pg_database where datname = current_database())
    and held.classid = ${LOCK_CLASS}::oid
    and held.objid = ${RUNNER_LOCK}::oid
    and held.objsubid = 2`

const WAIT_MS = 60_000
const POLL_MS = 100

/**
 * Runs `work` on a connection of its own while no other runner of this database runs.
 *
 * @throws AppError `conflict` when another one holds the lock for a minute
 */
export const asRunner = <T>(
  endpoint: Endpoint,
  signal: AbortSignal,
  work: (session: DirectSession) => Promise<T>,
): Promise<T> =>
  DirectSession.use(endpoint, async (session) => {
    const deadline = Date.now() + WAIT_MS
    for (;;) {
      if (signal.aborted) throw abortError(signal)
      const [row] = await session.many(tryLock())
      if (row?.locked) break
      if (Date.now() > deadline) throw await lockedOut(session)
      await delay(POLL_MS * (0.5 + Math.random()))
    }
    try {
      return await work(session)
    } finally {
      // A lost connection has given it back already.
      await session.many(unlock()).catch(() => {})
    }
  })

/** True while some runner holds the lock. */
export const isRunning = async (session: DirectSession): Promise<boolean> =>
  (await session.many(lockHolder())).length > 0

async function lockedOut(session: DirectSession): Promise<AppError> {
  const [holder] = await session.many(lockHolder())
  const who = holder ? ` (backend ${holder.pid}, "${holder.application_name}")` : ''
  return new AppError(
    'conflict',
    `Another runner${who} has held the migration lock for a minute.`,
    { hint: 'Wait for it to finish, or end that backend, then start again.', retryable: true },
  )
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
      return work({ session, heir, limitedTo, ...(await prepared(session)) })
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
  return work({ session, heir: null, limitedTo: null, ...(await prepared(session)) })
}

/**
 * What the log needs to be told. A runner that dies is noticed during its statement, where the
 * kernel of the server can tell, so that the next one need not wait.
 */
async function prepared(session: DirectSession) {
  const [settings] = await session.many(sql<{ is_logical: boolean; is_kept: boolean }>`
    select
      current_setting('wal_level') = 'logical' as is_logical,
      exists (
        select
        from pg_proc
        where oid = to_regprocedure('catalyst_log.publish()')
          and exists (select from pg_publication where pubname ~ '^cdb_pub_')
      ) as is_kept,
      case when version() ~ '(linux|darwin|bsd)'
        then set_config('client_connection_check_interval', '2s', false)
      end as noticed`)
  return {
    marksSchemaChanges: settings?.is_logical ?? false,
    publishesTables: settings?.is_kept ?? false,
  }
}
