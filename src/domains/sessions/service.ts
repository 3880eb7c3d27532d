import { AppError } from '../../errors.js'
import type { Caller, RequestedOperation, UnitOfWork } from '../../lib/caller.js'
import type { Clock } from '../../lib/clock.js'
import { newId, shownHandle } from '../../lib/ids.js'
import type { Marks } from '../../lib/marks.js'
import type { Log } from '../../platform/log.js'
import type { AuditTrail } from '../../platform/postgres/audit-trail.js'
import type { Database } from '../../platform/postgres/database.js'
import type { DedicatedConnection } from '../../platform/postgres/dedicated.js'
import { isSerializationFailure } from '../../platform/postgres/errors.js'
import { applyOnce, runExactlyOnce } from '../../platform/postgres/exactly-once.js'
import type { IsolationLevel } from '../../platform/postgres/lease.js'
import type { Transaction } from '../../platform/postgres/queryable.js'
import { DbSession } from './db-session.js'
import * as errors from './errors.js'
import { type LimitKind, Limits } from './limits.js'
import { SessionRecords } from './records.js'
import * as statements from './sql.js'

/** An operation that was checked and is ready to run. */
interface Operation {
  /** Null for a read. */
  readonly unit: UnitOfWork | null
  run(tx: Transaction): Promise<unknown>
}

/** What sessions and one-shot transactions are made from. */
export interface SessionDeps {
  /** For transactions of one call. */
  readonly database: Database
  /** For sessions: not through a pooler, for a transaction stays on its connection. */
  readonly direct: Database
  /** For looking at locks while sessions hold every connection they may. */
  readonly health: DedicatedConnection
  /** Most connections that sessions may hold. */
  readonly maxPinned: number
  readonly idleMs: number
  readonly maxMs: number
  readonly serverId: string
  readonly clock: Clock
  readonly log: Log
  readonly audit: AuditTrail
  /** Checks an operation against the tools and resources that are served. */
  readonly operationOf: (requested: RequestedOperation, caller: Caller) => Operation
  /** Called after a commit that left events in the outbox, with the cached values it outdated. */
  readonly committed: (touched: Marks | undefined) => void
  /** Called when the list of sessions is another one. */
  readonly changed: () => void
}

/** More handles than any client needs, few enough that forgetting to end them cannot exhaust memory. */
const MAX_SESSIONS = 1_000

/** Database sessions held over MCP as leases, and the transactions that persisting tools run in. */
export class SessionService {
  readonly #deps: SessionDeps
  readonly #sessions = new Map<string, DbSession>()
  readonly #records: SessionRecords
  readonly #limits: Limits

  constructor(deps: SessionDeps) {
    this.#deps = deps
    this.#records = new SessionRecords(deps)
    this.#limits = new Limits(deps, (session, kind) => this.#expire(session, kind))
  }

  /** Leases a session to the caller. */
  async start(isolation: IsolationLevel, readOnly: boolean, caller: Caller) {
    const { clock, idleMs } = this.#deps
    if (this.#sessions.size >= MAX_SESSIONS) throw errors.tooMany('sessions are open')
    const session = new DbSession({
      id: newId('sess'),
      owner: caller.owner,
      isolation,
      readOnly,
      startedAt: clock.now(),
      idleTimeoutMs: idleMs + 30_000,
    })
    const { id } = session.options
    // Counted from here on, so that sessions starting at the same time cannot take too many.
    this.#sessions.set(id, session)
    try {
      await this.#pin(session)
      await this.#records.begin(session)
    } catch (error) {
      this.#sessions.delete(id)
      session.unpin()
      throw error
    }
    this.#limits.watch(session)
    this.#deps.changed()
    const expiresAt = this.#limits.expiresAt(session)
    return {
      session_id: id,
      expires_in: Math.round((expiresAt.getTime() - clock.now().getTime()) / 1_000),
      expires_at: expiresAt.toISOString(),
    }
  }

  /** Runs operations in the session's transaction; one that fails rolls all of it back. */
  execute(id: string, requested: readonly RequestedOperation[], commit: boolean, caller: Caller) {
    return this.#inSession(id, caller, async (session) => {
      try {
        await this.#open(session)
        const results: unknown[] = []
        for (const [index, operation] of requested.entries()) {
          results.push(await this.#operate(session, operation, index, caller))
        }
        const transaction_id = await session.use(caller.signal, (tx) => tx.id())
        if (caller.record) caller.record.transactionId = transaction_id
        if (commit) await this.#commit(session, caller)
        return { results, transaction_id, committed: commit }
      } catch (error) {
        await session.rollBack()
        throw error
      }
    })
  }

  /** Ends the session, keeping or dropping what its transaction holds. */
  async end(id: string, outcome: 'commit' | 'rollback', caller: Caller) {
    const session = await this.#find(id, caller)
    const answer = await this.#inSession(id, caller, async () => {
      if (outcome === 'commit' && session.hasTransaction)
        await this.#commitOrRollBack(session, caller)
      return { outcome, operations_count: session.operationsCount }
    })
    const endedAs = outcome === 'commit' ? 'committed' : 'rolled_back'
    await this.#close(session, endedAs, errors.hasEnded())
    return answer
  }

  /** One unit of work: inside its session's transaction, or in one of its own. */
  run<T>(unit: UnitOfWork, caller: Caller, work: (tx: Transaction) => Promise<T>) {
    return unit.sessionId === null
      ? this.#runAlone(unit, caller, work)
      : this.#runInSession(unit.sessionId, unit, caller, work)
  }

  /** The caller's sessions on this server, and how many others there are. */
  active(caller: Caller) {
    const now = this.#deps.clock.now().getTime()
    const own = [...this.#sessions.values()].filter(({ options }) => options.owner === caller.owner)
    return {
      sessions: own.map((session) => ({
        session_id: session.options.id,
        started_at: session.options.startedAt.toISOString(),
        transaction_active: session.hasTransaction,
        operations_count: session.operationsCount,
        isolation_level: wireName(session.options.isolation),
        read_only: session.options.readOnly,
        idle_seconds: Math.floor((now - session.lastUsedAt.getTime()) / 1_000),
        expires_at: this.#limits.expiresAt(session).toISOString(),
      })),
      others: this.#sessions.size - own.length,
    }
  }

  /** One session with the locks its backend holds, from PostgreSQL's own lock table. */
  async details(id: string, caller: Caller) {
    const session = await this.#find(id, caller)
    const { backendPid } = session
    const locks =
      backendPid === null ? [] : await this.#deps.health.many(statements.locksOf(backendPid))
    return {
      session_id: id,
      connection_info: { pool_id: this.#deps.serverId, backend_pid: backendPid },
      transaction_state: session.hasTransaction ? ('active' as const) : ('idle' as const),
      locks_held: locks,
    }
  }

  /** Rolls back and ends every session. */
  async close(): Promise<void> {
    const reason = new AppError('session_lost', 'The server is shutting down.', {
      hint: 'The work was rolled back. Start a new session when the server is back.',
    })
    await Promise.all([...this.#sessions.values()].map((one) => this.#close(one, 'lost', reason)))
  }

  async #runAlone<T>(unit: UnitOfWork, caller: Caller, work: (tx: Transaction) => Promise<T>) {
    const effect = { ...unit, principal: caller.principal }
    const { database, audit, committed } = this.#deps
    let touched: Marks | undefined
    const result = await runExactlyOnce(database, effect, caller.signal, async (tx) => {
      const answer = await work(tx)
      const entry = caller.record ? audit.entryOf(caller.record.entry('ok')) : undefined
      touched = tx.touched
      await tx.emit('db.transaction', { tools: [unit.tool], session_id: null, touched }, entry)
      return answer
    })
    if (result.replayed) return result
    if (caller.record) caller.record.isKept = true
    committed(touched)
    return result
  }

  #runInSession<T>(
    id: string,
    unit: UnitOfWork,
    caller: Caller,
    work: (tx: Transaction) => Promise<T>,
  ) {
    return this.#inSession(id, caller, async (session) => {
      refuseWriteWhenReadOnly(session)
      await this.#open(session)
      try {
        return await session.operateAlone(unit.tool, caller.signal, (tx) =>
          applyOnce(tx, { ...unit, principal: caller.principal }, work),
        )
      } catch (error) {
        if (!isSerializationFailure(error)) throw error
        await session.rollBack()
        throw errors.wholeTransactionFailed(error)
      }
    })
  }

  async #operate(session: DbSession, requested: RequestedOperation, index: number, caller: Caller) {
    try {
      const operation = this.#deps.operationOf(requested, caller)
      const { unit } = operation
      if (unit === null) return await session.operate(null, caller.signal, operation.run)
      refuseWriteWhenReadOnly(session)
      const effect = { ...unit, principal: caller.principal }
      const { answer, replayed } = await session.operate(unit.tool, caller.signal, (tx) =>
        applyOnce(tx, effect, (inner) => operation.run(inner)),
      )
      return replayed ? { ...Object(answer), replayed } : answer
    } catch (error) {
      throw errors.atIndex(
        index,
        isSerializationFailure(error) ? errors.wholeTransactionFailed(error) : error,
      )
    }
  }

  async #commitOrRollBack(session: DbSession, caller: Caller): Promise<void> {
    try {
      await this.#commit(session, caller)
    } catch (error) {
      await session.rollBack()
      throw error
    }
  }

  async #commit(session: DbSession, caller: Caller): Promise<void> {
    const { tools } = session
    await session.prepareCommit(caller.signal)
    if (tools.length === 0) return session.commit()
    const touched = await session.use(caller.signal, async (tx) => {
      const data = {
        tools: [...tools],
        session_id: shownHandle(session.options.id),
        touched: tx.touched,
      }
      await tx.emit('db.transaction', data)
      return tx.touched
    })
    await session.commit()
    this.#deps.committed(touched)
  }

  async #open(session: DbSession): Promise<void> {
    if (!session.isPinned) await this.#pin(session)
    await session.open()
  }

  /** Holds a connection for the session; one that another session holds without need is taken over. */
  async #pin(session: DbSession): Promise<void> {
    const pinned = [...this.#sessions.values()].filter((one) => one.isPinned)
    if (pinned.length >= this.#deps.maxPinned) {
      const spare = pinned
        .filter((one) => !one.hasTransaction && !one.isBusy)
        .sort((a, b) => a.lastUsedAt.getTime() - b.lastUsedAt.getTime())[0]
      if (!spare) throw errors.tooMany('sessions hold open transactions')
      spare.unpin()
    }
    await session.pin(this.#deps.direct, () => void this.#lose(session))
  }

  async #inSession<T>(
    id: string,
    caller: Caller,
    work: (session: DbSession) => Promise<T>,
  ): Promise<T> {
    const session = await this.#find(id, caller)
    if (caller.record) caller.record.sessionId = id
    try {
      return await session.inTurn(async () => {
        // It may have ended while this call waited for its turn.
        if (!this.#sessions.has(id)) throw await this.#records.explain(id, caller.owner)
        return work(session)
      })
    } catch (error) {
      if (!session.isLost) throw error
      await this.#lose(session)
      throw errors.lost(error)
    } finally {
      session.lastUsedAt = this.#deps.clock.now()
      this.#deps.changed()
    }
  }

  async #find(id: string, caller: Caller): Promise<DbSession> {
    const session = this.#sessions.get(id)
    if (session && session.options.owner === caller.owner) {
      const limit = this.#limits.passed(session)
      if (limit !== null) await this.#expire(session, limit)
      else if (session.isLost) await this.#lose(session)
      else return session
    }
    throw await this.#records.explain(id, caller.owner)
  }

  async #expire(session: DbSession, limit: LimitKind): Promise<void> {
    const transaction_rolled_back = session.hasTransaction
    await this.#close(session, 'expired', errors.expired())
    await this.#records.report('db.session.expired', {
      session_id: session.options.id,
      limit,
      transaction_rolled_back,
    })
  }

  async #lose(session: DbSession): Promise<void> {
    if (!this.#sessions.has(session.options.id)) return
    await this.#close(session, 'lost', errors.lost())
    await this.#records.report('db.error', {
      code: 'session_lost',
      message: 'A session lost its connection; what it had not committed was rolled back.',
      session_id: session.options.id,
    })
  }

  async #close(session: DbSession, endedAs: statements.Ending, reason: AppError): Promise<void> {
    if (!this.#sessions.delete(session.options.id)) return
    this.#records.ending(session, reason)
    this.#limits.forget(session)
    await session.end(reason)
    this.#deps.changed()
    await this.#records.end(session, endedAs)
  }
}

const wireName = (isolation: IsolationLevel) => isolation.replace(' ', '_')

function refuseWriteWhenReadOnly(session: DbSession): void {
  if (session.options.readOnly) throw errors.readOnly()
}
