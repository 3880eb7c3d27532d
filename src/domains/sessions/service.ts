import { AppError, abortError } from '../../errors.js'
import type { Caller, RequestedOperation, UnitOfWork } from '../../lib/caller.js'
import type { Clock } from '../../lib/clock.js'
import { newId, shownHandle } from '../../lib/ids.js'
import type { SharedOutage } from '../../lib/shared-outage.js'
import { instantText } from '../../lib/utc-text.js'
import type { AuditTrail } from '../../platform/postgres/audit-trail.js'
import type { Database } from '../../platform/postgres/database.js'
import type { DedicatedConnection } from '../../platform/postgres/dedicated.js'
import { isSerializationFailure } from '../../platform/postgres/errors.js'
import {
  applyOnce,
  committedAnswer,
  type KeyedEffect,
  runExactlyOnce,
} from '../../platform/postgres/exactly-once.js'
import type { Transaction } from '../../platform/postgres/queryable.js'
import type { IsolationLevel } from '../../platform/postgres/settings.js'
import { DbSession } from './db-session.js'
import * as errors from './errors.js'
import { type LimitKind, Limits } from './limits.js'
import { LOSSES, reasonOf, type SessionNews, SessionRecords } from './records.js'
import { Slots } from './slots.js'
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
  /** Most sessions that one caller may have open. */
  readonly maxPerCaller: number
  readonly idleMs: number
  readonly maxMs: number
  readonly serverId: string
  readonly clock: Clock
  readonly outage: SharedOutage
  readonly audit: AuditTrail
  /** Checks an operation against the tools and resources that are served. */
  readonly operationOf: (requested: RequestedOperation, caller: Caller) => Operation
  /** Called when the list of sessions is another one. */
  readonly changed: () => void
}

/** A call of `execute_transaction`. */
interface Execution {
  readonly session_id: string
  readonly operations: readonly RequestedOperation[]
  readonly commit: boolean
  readonly idempotency_key?: string | undefined
}

/** A call of `end_db_session`. */
interface Ending {
  readonly session_id: string
  readonly outcome: 'commit' | 'rollback'
  readonly idempotency_key?: string | undefined
}

/** More handles than any client needs, few enough that forgetting to end them cannot exhaust memory. */
const MAX_SESSIONS = 1_000

/** Database sessions held over MCP as leases, and the transactions that persisting tools run in. */
export class SessionService {
  readonly #deps: SessionDeps
  readonly #sessions = new Map<string, DbSession>()
  readonly #slots: Slots
  readonly #records: SessionRecords
  readonly #limits: Limits

  constructor(deps: SessionDeps) {
    this.#deps = deps
    this.#slots = new Slots(deps.maxPinned)
    this.#records = new SessionRecords(deps)
    this.#limits = new Limits(deps, (session, kind) => this.#expire(session, kind))
  }

  /** Leases a session to the caller. */
  async start(isolation: IsolationLevel, readOnly: boolean, caller: Caller) {
    const { clock, idleMs } = this.#deps
    if (this.#sessions.size >= MAX_SESSIONS) throw errors.tooMany('sessions are open')
    const own = [...this.#sessions.values()].filter(({ options }) => options.owner === caller.owner)
    if (own.length >= this.#deps.maxPerCaller) throw errors.tooManyOwn(own.length)
    const session = new DbSession({
      id: newId('sess'),
      owner: caller.owner,
      isolation,
      readOnly,
      startedAt: clock.now(),
      idleTimeoutMs: idleMs + 30_000,
    })
    const { id } = session.options
    // Counted from here on, so that sessions starting at the same time cannot be too many.
    this.#sessions.set(id, session)
    try {
      await session.inTurn(() => this.#begin(session, caller.signal))
    } catch (error) {
      this.#sessions.delete(id)
      session.unpin()
      throw error instanceof AppError && error.code === 'outcome_unknown'
        ? errors.notStarted(error)
        : error
    }
    this.#limits.watch(session)
    this.#deps.changed()
    const expiresAt = this.#limits.expiresAt(session)
    return {
      session_id: id,
      expires_in: Math.round((expiresAt.getTime() - clock.now().getTime()) / 1_000),
      expires_at: instantText(expiresAt),
    }
  }

  /** Runs operations in the session's transaction; one that fails rolls all of it back. */
  async execute(call: Execution, caller: Caller) {
    const { session_id: id, operations, commit } = call
    const effect = effectOf('execute_transaction', call, caller)
    const { answer, replayed } = await this.#inSession(id, effect, caller, async (session) => {
      const earlier = await committedAnswer<Executed>(this.#deps.database, effect, caller.signal)
      if (earlier) return earlier
      try {
        await this.#open(session)
        const done = await session.use(caller.signal, (tx) =>
          applyOnce(tx, effect, () => this.#operateAll(session, operations, commit, caller)),
        )
        if (commit && !done.replayed) await this.#commit(session, effect, caller)
        return done
      } catch (error) {
        await session.rollBack()
        throw error
      }
    })
    return replayed ? { ...answer, replayed } : answer
  }

  /** Ends the session, keeping or dropping what its transaction holds. */
  async end(call: Ending, caller: Caller) {
    const { session_id: id, outcome } = call
    const session = this.#sessions.get(id)
    const effect = effectOf('end_db_session', call, caller)
    const endedAs = outcome === 'commit' ? 'committed' : 'rolled_back'
    const ended = await this.#inSession(id, effect, caller, async (held) => {
      const result = { outcome, operations_count: held.operationsCount }
      const answer =
        outcome === 'commit' && held.hasTransaction && !held.options.readOnly
          ? await this.#commitWith(held, effect, result, caller)
          : await this.#dropWith(held, effect, result, caller)
      held.settledAs = endedAs
      return answer
    })
    if (session && !ended.replayed) await this.#close(session, endedAs, errors.hasEnded())
    return ended.replayed ? { ...ended.answer, replayed: ended.replayed } : ended.answer
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
        started_at: instantText(session.options.startedAt),
        transaction_active: session.hasTransaction,
        operations_count: session.operationsCount,
        isolation_level: wireName(session.options.isolation),
        read_only: session.options.readOnly,
        idle_seconds: Math.floor((now - session.lastUsedAt.getTime()) / 1_000),
        expires_at: instantText(this.#limits.expiresAt(session)),
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
    const sessions = [...this.#sessions.values()]
    await Promise.all(sessions.map((one) => this.#close(one, 'lost', errors.shuttingDown())))
    this.#records.stop()
  }

  async #runAlone<T>(unit: UnitOfWork, caller: Caller, work: (tx: Transaction) => Promise<T>) {
    const effect = { ...unit, principal: caller.principal }
    const { database, audit } = this.#deps
    const result = await runExactlyOnce(database, effect, caller.signal, async (tx) => {
      const answer = await work(tx)
      const entry = caller.record ? audit.entryOf(caller.record.entry('ok')) : undefined
      const data = { tools: [unit.tool], session_id: null, touched: tx.touched }
      await tx.emit('db.transaction', data, entry)
      return answer
    })
    if (caller.record && !result.replayed) caller.record.isKept = true
    return result
  }

  #runInSession<T>(
    id: string,
    unit: UnitOfWork,
    caller: Caller,
    work: (tx: Transaction) => Promise<T>,
  ) {
    const effect = { ...unit, principal: caller.principal }
    return this.#inSession(id, effect, caller, async (session) => {
      refuseWriteWhenReadOnly(session)
      await this.#open(session)
      try {
        return await session.operateAlone(unit.tool, caller.signal, (tx) =>
          applyOnce(tx, effect, work),
        )
      } catch (error) {
        if (!isSerializationFailure(error)) throw error
        await session.rollBack()
        throw errors.wholeTransactionFailed(error)
      }
    })
  }

  async #operateAll(
    session: DbSession,
    requested: readonly RequestedOperation[],
    committed: boolean,
    caller: Caller,
  ): Promise<Executed> {
    const results: unknown[] = []
    for (const [index, operation] of requested.entries()) {
      results.push(await this.#operate(session, operation, index, caller))
    }
    const transaction_id = await session.use(caller.signal, (tx) => tx.id())
    if (caller.record) caller.record.transactionId = transaction_id
    return { results, transaction_id, committed }
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

  /** Commits with the answer of the call that asked for it, which its key then repeats. */
  async #commitWith<T>(session: DbSession, effect: KeyedEffect, result: T, caller: Caller) {
    try {
      const done = await session.use(caller.signal, (tx) =>
        applyOnce(tx, effect, async () => result),
      )
      await this.#commit(session, effect, caller)
      return done
    } catch (error) {
      await session.rollBack()
      throw error
    }
  }

  /** Rolls back what is open; a key with the answer is kept all the same. */
  async #dropWith<T>(session: DbSession, effect: KeyedEffect, result: T, caller: Caller) {
    await session.rollBack()
    const { database } = this.#deps
    if (effect.idempotencyKey === null) return { answer: result, replayed: false }
    return runExactlyOnce(database, effect, caller.signal, async () => result)
  }

  async #commit(session: DbSession, effect: KeyedEffect, caller: Caller): Promise<void> {
    await session.prepareCommit(caller.signal)
    const isKeyed = effect.idempotencyKey !== null
    const tools = session.tools.length === 0 && isKeyed ? [effect.tool] : [...session.tools]
    if (tools.length === 0) return session.commit({ wroteNothing: true })
    const session_id = shownHandle(session.options.id)
    await session.use(caller.signal, (tx) =>
      tx.emit('db.transaction', { tools, session_id, touched: tx.touched }),
    )
    await session.commit({ wroteNothing: false })
  }

  /** A session that finds all slots with others that are starting gets its connection when it needs one. */
  async #begin(session: DbSession, signal: AbortSignal): Promise<void> {
    const others = [...this.#sessions.values()].filter((one) => one !== session)
    if (this.#takeSlot()) await this.#pin(session)
    else if (!others.some((one) => one.isPinned && !one.hasTransaction)) throw errors.allHeld()
    await this.#records.begin(session, signal)
    if (signal.aborted) throw abortError(signal)
  }

  async #open(session: DbSession): Promise<void> {
    if (!session.isPinned) {
      if (!this.#takeSlot()) throw errors.allHeld()
      await this.#pin(session)
    }
    await session.open()
  }

  async #pin(session: DbSession): Promise<void> {
    const { direct } = this.#deps
    await session.pin(direct, this.#slots, () => void this.#lose(session, 'lost'))
  }

  /** Takes a slot, from the session that holds one without need for longest if there is no other. */
  #takeSlot(): boolean {
    if (this.#slots.take()) return true
    const [spare] = [...this.#sessions.values()]
      .filter(({ isSpare }) => isSpare)
      .sort((a, b) => a.lastUsedAt.getTime() - b.lastUsedAt.getTime())
    spare?.unpin()
    return this.#slots.take()
  }

  async #inSession<T>(
    id: string,
    effect: KeyedEffect,
    caller: Caller,
    work: (session: DbSession) => Promise<Done<T>>,
  ): Promise<Done<T>> {
    const session = await this.#live(id, caller)
    if (caller.record) caller.record.sessionId = id
    if (!session) return this.#afterEnd(id, effect, caller)
    try {
      return await session.inTurn(async () => {
        // It may have ended while this call waited for its turn.
        if (!this.#sessions.has(id)) return this.#afterEnd(id, effect, caller)
        return work(session)
      })
    } catch (error) {
      if (session.settledAs === 'unknown') {
        void this.#lose(session, 'unknown')
        throw errors.unknown(effect.idempotencyKey !== null, error)
      }
      if (!session.isLost) throw error
      void this.#lose(session, 'lost')
      throw errors.lost(error)
    } finally {
      session.lastUsedAt = this.#deps.clock.now()
      this.#deps.changed()
    }
  }

  /** Tells what became of the session, or of the call: whoever sends it again by its key asks for that. */
  async #afterEnd<T>(id: string, effect: KeyedEffect, caller: Caller): Promise<Done<T>> {
    const { database } = this.#deps
    const reason = await this.#records.explain(id, caller.owner)
    const isUnknown = reason.code === 'outcome_unknown'
    const ask = { waits: isUnknown }
    const earlier = await committedAnswer<T>(database, effect, caller.signal, ask)
    if (earlier) return earlier
    throw isUnknown && effect.idempotencyKey !== null ? errors.notCommitted() : reason
  }

  async #find(id: string, caller: Caller): Promise<DbSession> {
    const session = await this.#live(id, caller)
    if (session) return session
    throw await this.#records.explain(id, caller.owner)
  }

  /** The caller's session, unless it has passed a limit or lost its connection. */
  async #live(id: string, caller: Caller): Promise<DbSession | null> {
    const session = this.#sessions.get(id)
    if (session?.options.owner !== caller.owner) return null
    const limit = this.#limits.passed(session)
    if (limit === null && !session.isLost) return session
    await (limit === null ? this.#lose(session, 'lost') : this.#expire(session, limit))
    return null
  }

  async #expire(session: DbSession, limit: LimitKind): Promise<void> {
    const { hasTransaction, commits } = session
    await this.#close(session, 'expired', errors.expired(), () => ({
      type: 'db.session.expired',
      data: {
        session_id: session.options.id,
        limit,
        transaction_rolled_back: hasTransaction && session.commits === commits,
      },
    }))
  }

  /** Ends a session whose connection is gone, or whose last commit nobody knows the fate of. */
  #lose(session: DbSession, endedAs: 'lost' | 'unknown'): Promise<void> {
    return this.#close(session, endedAs, reasonOf(endedAs), () => lossOf(session, endedAs))
  }

  /** A commit that is under way is waited for: it may decide how the session has ended. */
  async #close(
    session: DbSession,
    endedAs: statements.Ending,
    reason: AppError,
    news?: () => SessionNews,
  ): Promise<void> {
    if (!this.#sessions.delete(session.options.id)) return
    this.#limits.forget(session)
    const over = session.end(reason)
    const settled = () => session.settledAs ?? endedAs
    const isAsMeant = () => settled() === endedAs
    const told = over.then(() => (isAsMeant() ? reason : reasonOf(settled())))
    this.#records.ending(session, told)
    await over
    this.#deps.changed()
    const event = settled() === 'unknown' ? lossOf(session, 'unknown') : isAsMeant() && news?.()
    await this.#records.end(session, settled(), event || null)
  }
}

/** What a session's call came to. */
interface Done<T> {
  readonly answer: T
  readonly replayed: boolean
}

interface Executed {
  readonly results: unknown[]
  readonly transaction_id: string
  readonly committed: boolean
}

const lossOf = (session: DbSession, endedAs: keyof typeof LOSSES): SessionNews => ({
  type: 'db.error',
  data: { ...LOSSES[endedAs], session_id: session.options.id },
})

/** A call that ends a transaction, as its key stands for it. */
function effectOf(tool: string, call: Execution | Ending, { principal }: Caller): KeyedEffect {
  const { idempotency_key = null, ...args } = call
  return { principal, tool, arguments: args, idempotencyKey: idempotency_key }
}

const wireName = (isolation: IsolationLevel) => isolation.replace(' ', '_')

function refuseWriteWhenReadOnly(session: DbSession): void {
  if (session.options.readOnly) throw errors.readOnly()
}
