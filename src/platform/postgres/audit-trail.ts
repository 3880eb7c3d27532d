import { setTimeout as delay } from 'node:timers/promises'
import type { Loop, Loops } from '../../kernel/loops.js'
import { Backoff } from '../../lib/backoff.js'
import type { AuditedCall } from '../../lib/call-record.js'
import type { Clock } from '../../lib/clock.js'
import type { Log } from '../log.js'
import { chain } from './audit-chain.js'
import { type AuditMonths, monthOf, OWN_ENTRY } from './audit-months.js'
import * as statements from './audit-trail.sql.js'
import type { Database } from './database.js'
import type { Transaction } from './queryable.js'

interface AuditDeps {
  readonly database: Database
  readonly serverId: string
  readonly clock: Clock
  readonly months: AuditMonths
  readonly loops: Loops
  readonly log: Log
}

const FLUSH_MS = 100
const BATCH = 1_000
/** What waits while the database is away; beyond it the oldest are dropped, and that is recorded. */
const MAX_WAITING = 10_000
/** Without any call, what other servers left is appended. */
const MINUTE_MS = 60_000
/** A server makes or drops at most a month at a time. */
const TEND_MS = 60 * 60 * 1_000
/** How long the end of the server waits for a database that is away. */
const DRAIN_MS = 5_000
const RETRY = { firstMs: 200, maxMs: 5_000 }

/**
 * The append-only record of every tool call. Calls that persist write theirs in their own transaction,
 * reads are counted by the minute, all others wait here for a tenth of a second and are appended
 * together.
 */
export class AuditTrail {
  readonly #deps: AuditDeps
  readonly #loop: Loop
  #waiting: statements.AuditEntry[] = []
  /** Reads of the minutes that are not over, by what they have in common. */
  readonly #counts = new Map<string, statements.AuditEntry>()
  /** The append whose success was never heard of, and what it appended. */
  #unsure: { readonly end: statements.ChainLink; readonly batch: statements.AuditEntry[] } | null =
    null
  /** Entries found in the chain although their append was taken for failed. */
  readonly #kept = new WeakSet<statements.AuditEntry>()
  #dropped = 0

  constructor(deps: AuditDeps) {
    this.#deps = deps
    const timing = { everyMs: MINUTE_MS, gatherMs: FLUSH_MS, retry: RETRY }
    this.#loop = deps.loops.every('the audit', timing, () => this.#round())
    deps.loops.every('keeping the months of the audit', { everyMs: TEND_MS }, async () => {
      await deps.months.tend(monthOf(deps.clock), (call) => this.entryOf(call))
      this.poke()
    })
  }

  /** Remembers a call; never throws and never waits. */
  record(call: AuditedCall): void {
    this.#wait(this.entryOf(call))
    this.poke()
  }

  /** Counts a read: one entry for a caller, tool, outcome and minute, once the minute is over. */
  count(call: AuditedCall): void {
    const at = this.#minute().toISOString()
    const key = JSON.stringify([at, call.principal, call.tool, call.outcome])
    const { calls, duration_ms } = this.#counts.get(key) ?? { calls: 0, duration_ms: 0 }
    this.#counts.set(key, {
      ...this.entryOf(call),
      request_id: '',
      arguments_sha256: '',
      session_id: null,
      at,
      calls: calls + call.calls,
      duration_ms: Math.round((duration_ms + call.duration_ms) * 1_000) / 1_000,
    })
  }

  /** The entry of a call, to be written in the transaction of its effect. */
  entryOf(call: AuditedCall): statements.AuditEntry {
    const { clock, serverId } = this.#deps
    return { ...call, at: clock.now().toISOString(), server_id: serverId }
  }

  /** Says that there is something to append. */
  poke(): void {
    this.#loop.wake()
  }

  /** Appends everything that waits; what cannot be written within seconds is told to the log. */
  async stop(): Promise<void> {
    await this.#loop.stop()
    this.#endMinutes(Number.POSITIVE_INFINITY)
    // It never ran, and there is nothing of its own.
    if (this.#loop.succeededAt === null && this.#waiting.length === 0) return
    const end = Date.now() + DRAIN_MS
    const backoff = new Backoff(RETRY)
    for (;;) {
      try {
        while (await this.#flush());
        return
      } catch (error) {
        const left = end - Date.now()
        const facts = { err: error, entries: this.#waiting.length }
        if (left <= 0) return this.#deps.log.error(facts, 'audit entries could not be written')
        await delay(Math.min(backoff.next(), left))
      }
    }
  }

  async #round(): Promise<void> {
    this.#endMinutes(this.#minute().getTime())
    if (await this.#flush()) this.poke()
  }

  /** True when there may be more. */
  async #flush(): Promise<boolean> {
    const batch = this.#waiting.splice(0, BATCH)
    const dropped = this.#dropped
    try {
      const lost = dropped > 0 ? [this.#lost(dropped)] : []
      const more = await this.#deps.database.transaction((tx) =>
        this.#append(tx, [...lost, ...batch]),
      )
      this.#dropped -= dropped
      this.#unsure = null
      return more || this.#waiting.length > 0
    } catch (error) {
      this.#waiting = [...batch, ...this.#waiting]
      throw error
    }
  }

  /** True when the outbox may hold more. */
  async #append(tx: Transaction, batch: readonly statements.AuditEntry[]): Promise<boolean> {
    const head = await tx.one(statements.lockHead())
    await this.#findKept(tx)
    const committed = await tx.many(statements.takeOutbox(BATCH))
    const missing = batch.filter((entry) => !this.#kept.has(entry))
    const entries = [...committed.map(({ entry }) => entry), ...missing]
    if (entries.length === 0) return false
    const month = await this.#deps.months.enter(tx, head, monthOf(this.#deps.clock))
    const chained = chain(entries, head, month)
    const last = chained.at(-1) ?? head
    this.#unsure = { end: last, batch: [...missing] }
    await tx.run(statements.append(chained, last))
    return committed.length === BATCH
  }

  /** An append whose COMMIT went unanswered may be there all the same: its last hash tells. */
  async #findKept(tx: Transaction): Promise<void> {
    if (!this.#unsure) return
    const { present } = await tx.one(statements.isInChain(this.#unsure.end))
    if (present) for (const entry of this.#unsure.batch) this.#kept.add(entry)
  }

  #wait(entry: statements.AuditEntry): void {
    if (this.#waiting.length >= MAX_WAITING) {
      const lost = this.#waiting.shift()
      this.#dropped += lost?.calls ?? 0
    }
    this.#waiting.push(entry)
  }

  /** What was counted in minutes before `now` waits like any other entry. */
  #endMinutes(now: number): void {
    for (const [key, entry] of this.#counts) {
      if (Date.parse(entry.at) >= now) continue
      this.#counts.delete(key)
      this.#wait(entry)
    }
  }

  #minute(): Date {
    const now = this.#deps.clock.now().getTime()
    return new Date(now - (now % MINUTE_MS))
  }

  /** An entry that says how many are missing. */
  #lost(count: number): statements.AuditEntry {
    return this.entryOf({
      ...OWN_ENTRY,
      outcome: `${count} entries were lost while the database was away`,
    })
  }
}
