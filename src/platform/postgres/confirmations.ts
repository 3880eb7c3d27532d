import { createHash } from 'node:crypto'
import type { ConfirmationClaim, ConfirmationTicket } from '../../lib/confirmation.js'
import { newId } from '../../lib/ids.js'
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

  constructor(deps: { readonly database: Database }) {
    this.#database = deps.database
  }

  /** A new token for this claim, good for ten minutes. */
  async issue(claim: ConfirmationClaim): Promise<ConfirmationTicket> {
    const confirm_token = newId('confirm')
    const insert = statements.insertConfirmation(digest(confirm_token), claim, TTL_SECONDS)
    const { expires_at } = await this.#database.transaction((tx) => tx.one(insert))
    return { confirm_token, expires_at }
  }

  /** Uses the token up; false when it is not, or no longer, good for this claim. */
  async redeem(token: string, claim: ConfirmationClaim): Promise<boolean> {
    const redeem = statements.redeemConfirmation(digest(token), claim)
    return (await this.#database.transaction((tx) => tx.run(redeem))) > 0
  }

  /** Makes a token of this caller worthless. */
  async revoke(token: string, principal: string): Promise<void> {
    const revoke = statements.revokeConfirmation(digest(token), principal)
    await this.#database.transaction((tx) => tx.run(revoke))
  }
}

const digest = (token: string): Buffer => createHash('sha256').update(token).digest()
