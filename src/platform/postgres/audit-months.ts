import type { AuditedCall } from '../../lib/call-record.js'
import type { Clock } from '../../lib/clock.js'
import type { Attempts } from '../../lib/outage.js'
import type { SharedOutage } from '../../lib/shared-outage.js'
import * as statements from './audit-trail.sql.js'
import type { Database } from './database.js'
import type { Transaction } from './queryable.js'

interface AuditMonthsDeps {
  readonly database: Database
  /** Full months that are kept beside the running one. */
  readonly keepMonths: number
  readonly outage: SharedOutage
}

/** Beside the running month. */
const MONTHS_AHEAD = 2
/** After that they are looked at again; a server makes or drops at most a month at a time. */
const TENDED_FOR_MS = 60 * 60 * 1_000

/** The months of the audit: each a partition with a head, made ahead, sealed when over, dropped when old. */
export class AuditMonths {
  readonly #deps: AuditMonthsDeps
  readonly #outage: Attempts
  #tendedAt = Number.NEGATIVE_INFINITY

  constructor(deps: AuditMonthsDeps) {
    this.#deps = deps
    this.#outage = deps.outage.of('keeping the months of the audit')
  }

  /** The month to append to, with its partition; the one before it is sealed. The caller holds the head. */
  async enter(tx: Transaction, head: statements.ChainMonth, now: string): Promise<string> {
    // Another server's clock may be ahead: a month that was sealed stays so.
    if (now <= head.month) return head.month
    await tx.one(statements.ensureMonth(now))
    await tx.run(statements.beginMonth(now))
    return now
  }

  /**
   * Makes the coming months and drops those beyond the retention, each with an entry that says so; false
   * when it has to be tried again.
   */
  async tend(now: string, entryOf: (call: AuditedCall) => statements.AuditEntry): Promise<boolean> {
    if (performance.now() - this.#tendedAt < TENDED_FOR_MS) return true
    const { database, keepMonths } = this.#deps
    try {
      await database.transaction(async (tx) => {
        await tx.one(statements.lockHead())
        for (let ahead = 0; ahead <= MONTHS_AHEAD; ahead++) {
          await tx.one(statements.ensureMonth(monthsFrom(now, ahead)))
        }
        for (const old of await tx.many(statements.sealedBefore(monthsFrom(now, -keepMonths)))) {
          await tx.run(statements.dropMonth(old.month))
          await tx.run(statements.markDropped(old.month))
          await tx.run(
            statements.insertEntry(entryOf({ ...OWN_ENTRY, outcome: droppedOutcome(old) })),
          )
        }
      })
      this.#tendedAt = performance.now()
      this.#outage.over()
      return true
    } catch (error) {
      this.#outage.failed(error)
      return false
    }
  }
}

/** What an entry is that the audit makes of itself. */
export const OWN_ENTRY: AuditedCall = {
  principal: 'server',
  request_id: '',
  tool: 'audit',
  arguments_sha256: '',
  outcome: 'ok',
  calls: 1,
  duration_ms: 0,
  session_id: null,
  transaction_id: null,
  confirmed_by: null,
  plan: null,
}

/** The first day of the month of now, in UTC. */
export const monthOf = (clock: Clock): string => `${clock.now().toISOString().slice(0, 7)}-01`

function monthsFrom(month: string, months: number): string {
  const date = new Date(month)
  date.setUTCMonth(date.getUTCMonth() + months)
  return date.toISOString().slice(0, 10)
}

const droppedOutcome = ({ month, first_id, audit_id, hash }: statements.ChainMonth): string =>
  `${month.slice(0, 7)} was dropped: entries ${first_id} to ${audit_id}, the last with hash ${hash}`
