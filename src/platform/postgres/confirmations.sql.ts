import type { ConfirmationClaim } from '../../lib/confirmation.js'
import type { AuditEntry } from './audit-trail.sql.js'
import { machinerySql as sql } from './sql.js'

/** Unused tokens are forgotten this long after their end. */
const KEPT = '1 day'

/** Keeps a new token's digest, and forgets those that ended long ago. */
export const insertConfirmation = (
  tokenSha256: Buffer,
  { principal, tool, digest }: ConfirmationClaim,
  ttlSeconds: number,
) => sql<{ expires_at: string }>`
  with forgotten as (
    delete from catalyst.confirmations
    where expires_at < now() - ${KEPT}::interval
  )
  insert into catalyst.confirmations (token_sha256, principal, tool, digest, expires_at)
  values (
    ${tokenSha256}::bytea,
    ${principal}::text,
    ${tool}::text,
    ${digest}::text,
    clock_timestamp() + make_interval(secs => ${ttlSeconds}::double precision)
  )
  returning expires_at`

/**
 * Uses a token up, if it is good for this claim, and leaves the audit's entry of what is about to be
 * done; of two calls at once only one changes the row.
 */
export const redeemConfirmation = (
  tokenSha256: Buffer,
  { principal, tool, digest }: ConfirmationClaim,
  intent: AuditEntry,
) => sql`
  with redeemed as (
    update catalyst.confirmations
    set used_at = clock_timestamp()
    where token_sha256 = ${tokenSha256}::bytea
      and principal = ${principal}::text
      and tool = ${tool}::text
      and digest = ${digest}::text
      and used_at is null
      and expires_at > clock_timestamp()
    returning 1
  )
  insert into catalyst.audit_outbox (entry)
  select ${JSON.stringify(intent)}::jsonb
  from redeemed`

/** Uses a token of this caller up without its call. */
export const revokeConfirmation = (tokenSha256: Buffer, principal: string) => sql`
  update catalyst.confirmations
  set used_at = clock_timestamp()
  where token_sha256 = ${tokenSha256}::bytea
    and principal = ${principal}::text
    and used_at is null`
