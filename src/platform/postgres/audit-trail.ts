import type { AuditedCall } from '../../lib/call-record.js'
import type { Log } from '../log.js'
import { chain, findBreak } from './audit-chain.js'
import * as statements from './audit-trail.sql.js'
import type { Database } from './database.js'
import type { Transaction } from './queryable.js'

/** What checking the chain found. */
export interface ChainVerdict {
  readonly intact: boolean
  readonly entries: number
  /** The first entry that was changed, removed or inserted; null when intact. */
  readonly broken_at: number | null
  /** The end of the chain: note it elsewhere, and nobody can rewrite what lies before it. */
  readonly head: statements.ChainHead
}

interface AuditDeps {
  readonly database: Database
  readonly serverId: string
  readonly log: Log
}

const FLUSH_MS = 100
const BATCH = 1_000
/** What waits while the database is away; beyond it the oldest are dropped, and that is recorded. */
const MAX_WAITING = 10_000

/**
 * The append-only record of every tool call. Calls that persist write theirs in their own
 * transaction; all others wait here for a tenth of a second and are appended together.
 */
export class AuditTrail {
  readonly #deps: AuditDeps
  #waiting: statements.AuditEntry[] = []
  /** The append whose success was never heard of, and what it appended. */
  #unsure: { readonly end: statements.ChainHead; readonly batch: statements.AuditEntry[] } | null =
    null
  /** Entries found in the chain although their append was taken for failed. */
  readonly #kept = new WeakSet<statements.AuditEntry>()
  #dropped = 0
  #timer: NodeJS.Timeout | null = null
  #flushing: Promise<void> = Promise.resolve()

  constructor(deps: AuditDeps) {
    this.#deps = deps
  }

  /** Remembers a call; never throws and never waits. */
  record(call: AuditedCall): void {
    if (this.#waiting.length >= MAX_WAITING) {
      this.#waiting.shift()
      this.#dropped++
    }
    this.#waiting.push(this.entryOf(call))
    this.poke()
  }

  /** The entry of a call, to be written in the transaction of its effect. */
  entryOf(call: AuditedCall): statements.AuditEntry {
    return { ...call, at: new Date().toISOString(), server_id: this.#deps.serverId }
  }

  /** Says that there is something to append. */
  poke(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null
      this.#flushing = this.#flushing.then(() => this.#flush())
    }, FLUSH_MS).unref()
  }

  /** Appends what waits, once more. */
  async stop(): Promise<void> {
    if (this.#timer) clearTimeout(this.#timer)
    await this.#flushing
    await this.#flush()
  }

  /** Recomputes the whole chain. */
  async verify(): Promise<ChainVerdict> {
    const { database } = this.#deps
    const head = await database.one(statements.readHead())
    let last: statements.ChainHead = { audit_id: 0, hash: '0'.repeat(64) }
    for (;;) {
      const entries = await database.many(statements.entriesAfter(last.audit_id, BATCH))
      const broken_at = findBreak(entries, last)
      if (broken_at !== null) {
        return { intact: false, entries: last.audit_id, broken_at, head }
      }
      last = entries.at(-1) ?? last
      if (entries.length < BATCH) break
    }
    // Entries may have been appended since the end was read, but none before it may be missing.
    const intact = last.audit_id >= head.audit_id
    return {
      intact,
      entries: last.audit_id,
      broken_at: intact ? null : last.audit_id + 1,
      head: { audit_id: last.audit_id, hash: last.hash },
    }
  }

  async #flush(): Promise<void> {
    const batch = this.#waiting.splice(0, BATCH)
    const dropped = this.#dropped
    try {
      const lost = dropped > 0 ? [this.#lost(dropped)] : []
      const more = await this.#deps.database.transaction((tx) =>
        this.#append(tx, [...lost, ...batch]),
      )
      this.#dropped -= dropped
      this.#unsure = null
      if (more || this.#waiting.length > 0) this.poke()
    } catch (error) {
      this.#waiting = [...batch, ...this.#waiting]
      this.#deps.log.warn({ err: error, waiting: this.#waiting.length }, 'audit entries wait')
    }
  }

  /** True when the outbox may hold more. */
  async #append(tx: Transaction, batch: readonly statements.AuditEntry[]): Promise<boolean> {
    const head = await tx.one(statements.lockHead())
    await this.#findKept(tx)
    const committed = await tx.many(statements.takeOutbox(BATCH))
    const missing = batch.filter((entry) => !this.#kept.has(entry))
    const entries = chain([...committed.map(({ entry }) => entry), ...missing], head)
    const last = entries.at(-1)
    if (last) {
      this.#unsure = { end: last, batch: [...missing] }
      await tx.run(statements.append(entries, last))
    }
    return committed.length === BATCH
  }

  /** An append whose COMMIT went unanswered may be there all the same: its last hash tells. */
  async #findKept(tx: Transaction): Promise<void> {
    if (!this.#unsure) return
    const { present } = await tx.one(statements.isInChain(this.#unsure.end))
    if (present) for (const entry of this.#unsure.batch) this.#kept.add(entry)
  }

  /** An entry that says how many are missing. */
  #lost(count: number): statements.AuditEntry {
    return this.entryOf({
      principal: 'server',
      request_id: '',
      tool: 'audit',
      arguments_sha256: '',
      outcome: `${count} entries were lost while the database was away`,
      duration_ms: 0,
      session_id: null,
      transaction_id: null,
      confirmed_by: null,
    })
  }
}
