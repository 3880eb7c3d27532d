import { setTimeout as delay } from 'node:timers/promises'
import { Backoff } from '../../lib/backoff.js'
import type { AuditedCall } from '../../lib/call-record.js'
import type { Clock } from '../../lib/clock.js'
import type { Attempts } from '../../lib/outage.js'
import type { SharedOutage } from '../../lib/shared-outage.js'
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
  readonly log: Log
  readonly outage: SharedOutage
}

const FLUSH_MS = 100
const BATCH = 1_000
/** What waits while the database is away; beyond it the oldest are dropped, and that is recorded. */
const MAX_WAITING = 10_000
const MINUTE_MS = 60_000
/** Without any call, what other servers left is appended, and months are made and dropped. */
const IDLE_MS = 60 * 60 * 1_000
/** How long the end of the server waits for a database that is away. */
const DRAIN_MS = 5_000

/**
 * The append-only record of every tool call. Calls that persist write theirs in their own transaction,
 * reads are counted by the minute, all others wait here for a tenth of a second and are appended
 * together.
 */
export class AuditTrail {
  readonly #deps: AuditDeps
  readonly #outage: Attempts
  readonly #backoff = new Backoff({ firstMs: 200, maxMs: 5_000 })
  #waiting: statements.AuditEntry[] = []
  /** Reads of the minutes that are not over, by what they have in common. */
  readonly #counts = new Map<string, statements.AuditEntry>()
  /** The append whose success was never heard of, and what it appended. */
  #unsure: { readonly end: statements.ChainLink; readonly batch: statements.AuditEntry[] } | null =
    null
  /** Entries found in the chain although their append was taken for failed. */
  readonly #kept = new WeakSet<statements.AuditEntry>()
  #dropped = 0
  #timer: NodeJS.Timeout | null = null
  #minuteTimer: NodeJS.Timeout | null = null
  readonly #idleTimer: NodeJS.Timeout
  #flushing: Promise<unknown> = Promise.resolve()

  constructor(deps: AuditDeps) {
    this.#deps = deps
    this.#outage = deps.outage.of('the audit')
    this.#idleTimer = setInterval(() => this.poke(), IDLE_MS).unref()
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
    this.#watchMinutes()
  }

  /** The entry of a call, to be written in the transaction of its effect. */
  entryOf(call: AuditedCall): statements.AuditEntry {
    const { clock, serverId } = this.#deps
    return { ...call, at: clock.now().toISOString(), server_id: serverId }
  }

  /** Says that there is something to append. */
  poke(): void {
    this.#pokeIn(FLUSH_MS)
  }

  /** Appends everything that waits; what cannot be written within seconds is told to the log. */
  async stop(): Promise<void> {
    clearInterval(this.#idleTimer)
    for (const timer of [this.#timer, this.#minuteTimer]) if (timer) clearTimeout(timer)
    await this.#flushing
    this.#endMinutes(Number.POSITIVE_INFINITY)
    const end = Date.now() + DRAIN_MS
    for (;;) {
      const flushed = await this.#flush()
      if (flushed === 'all') return
      if (flushed === 'more') continue
      const left = end - Date.now()
      if (left <= 0) break
      await delay(Math.min(this.#backoff.next(), left))
    }
    this.#deps.log.error({ entries: this.#waiting.length }, 'audit entries could not be written')
  }

  #pokeIn(ms: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null
      this.#flushing = this.#flushing.then(() => this.#flushAgain())
    }, ms).unref()
  }

  async #flushAgain(): Promise<void> {
    this.#endMinutes(this.#minute().getTime())
    const flushed = await this.#flush()
    if (flushed === 'failed') return this.#pokeIn(this.#backoff.next())
    if (flushed === 'more') return this.poke()
    const { months, clock } = this.#deps
    const isTended = await months.tend(monthOf(clock), (call) => this.entryOf(call))
    if (isTended) this.#backoff.reset()
    else this.#pokeIn(this.#backoff.next())
  }

  async #flush(): Promise<'all' | 'more' | 'failed'> {
    const batch = this.#waiting.splice(0, BATCH)
    const dropped = this.#dropped
    try {
      const lost = dropped > 0 ? [this.#lost(dropped)] : []
      const more = await this.#deps.database.transaction((tx) =>
        this.#append(tx, [...lost, ...batch]),
      )
      this.#dropped -= dropped
      this.#unsure = null
      this.#outage.over()
      return more || this.#waiting.length > 0 ? 'more' : 'all'
    } catch (error) {
      this.#waiting = [...batch, ...this.#waiting]
      this.#outage.failed(error, { waiting: this.#waiting.length })
      return 'failed'
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
    if (this.#counts.size > 0) this.#watchMinutes()
  }

  #watchMinutes(): void {
    this.#minuteTimer ??= setTimeout(() => {
      this.#minuteTimer = null
      this.poke()
    }, MINUTE_MS).unref()
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
