import { createHash } from 'node:crypto'
import type { AuditedCall } from '../../lib/call-record.js'
import type { ConfirmationClaim, ConfirmationTicket } from '../../lib/confirmation.js'
import { newId } from '../../lib/ids.js'
import type { AuditTrail } from './audit-trail.js'
import * as statements from './confirmations.sql.js'
import type { Database } from './database.js'

/** Long enough to read a plan and to ask somebody, short enough that the world is still the same. */
const TTL_SECONDS = 600

/**
 * Tokens for destructive calls, each good for one call of one caller with one plan, once. They are in
 * the database, so a token issued by one server is redeemed by any, and only once among all of them.
 */
export class ConfirmationStore {
  readonly #database: Database
  readonly #audit: AuditTrail

  constructor(deps: { readonly database: Database; readonly audit: AuditTrail }) {
    this.#database = deps.database
    this.#audit = deps.audit
  }

  /** A new token for this claim, good for ten minutes. */
  async issue(claim: ConfirmationClaim): Promise<ConfirmationTicket> {
    const confirm_token = newId('confirm')
    const insert = statements.insertConfirmation(digest(confirm_token), claim, TTL_SECONDS)
    const { expires_at } = await this.#database.transaction((tx) => tx.one(insert))
    return { confirm_token, expires_at }
  }

  /**
   * Uses the token up, and puts into the audit what is about to be done, both or neither: a server
   * killed while it acts leaves its intention. False when the token is not, or no longer, good.
   */
  async redeem(token: string, claim: ConfirmationClaim, intent: AuditedCall): Promise<boolean> {
    const entry = this.#audit.entryOf(intent)
    const redeem = statements.redeemConfirmation(digest(token), claim, entry)
    const isGood = (await this.#database.transaction((tx) => tx.run(redeem))) > 0
    if (isGood) this.#audit.poke()
    return isGood
  }

  /** Makes a token of this caller worthless. */
  async revoke(token: string, principal: string): Promise<void> {
    const revoke = statements.revokeConfirmation(digest(token), principal)
    await this.#database.transaction((tx) => tx.run(revoke))
  }
}

const digest = (token: string): Buffer => createHash('sha256').update(token).digest()
