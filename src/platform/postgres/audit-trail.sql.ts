import type { AuditedCall } from '../../lib/call-record.js'
import { sql } from './sql.js'

/** A call with its time and the server that answered it. */
export interface AuditEntry extends AuditedCall {
  readonly at: string
  readonly server_id: string
}

/** An entry in its place in the chain. */
export interface ChainedEntry extends AuditEntry {
  readonly audit_id: number
  readonly previous_hash: string
  readonly hash: string
}

/** Where the chain ends. */
export interface ChainHead {
  readonly audit_id: number
  readonly hash: string
}

/** Locks the end of the chain: one writer appends at a time. */
export const lockHead = () => sql<ChainHead>`
  select audit_id, hash
  from catalyst.audit_head
  for update`

/** Takes entries that committed with their effects, oldest first. */
export const takeOutbox = (limit: number) => sql<{ entry: AuditEntry }>`
  with taken as (
    delete from catalyst.audit_outbox
    where outbox_id in (
      select outbox_id from catalyst.audit_outbox order by outbox_id limit ${limit}::int
    )
    returning outbox_id, entry
  )
  select entry
  from taken
  order by outbox_id`

/** Appends entries to the chain and moves its end. */
export const append = (entries: readonly ChainedEntry[], head: ChainHead) => sql`
  with appended as (
    insert into catalyst.audit_log
    select *
    from json_populate_recordset(null::catalyst.audit_log, ${JSON.stringify(entries)}::json)
  )
  update catalyst.audit_head
  set audit_id = ${head.audit_id}::bigint, hash = ${head.hash}::text`

/** The end of the chain, without a lock. */
export const readHead = () => sql<ChainHead>`
  select audit_id, hash
  from catalyst.audit_head`

/** Whether exactly this entry is in the chain. */
export const isInChain = ({ audit_id, hash }: ChainHead) => sql<{ present: boolean }>`
  select exists (
    select 1
    from catalyst.audit_log
    where audit_id = ${audit_id}::bigint
      and hash = ${hash}::text
  ) as present`

/** A stretch of the chain in order. */
export const entriesAfter = (auditId: number, limit: number) => sql<ChainedEntry>`
  select
    audit_id, at, server_id, principal, request_id, tool, arguments_sha256, outcome,
    duration_ms::float8 as duration_ms, session_id, transaction_id, confirmed_by, previous_hash, hash
  from catalyst.audit_log
  where audit_id > ${auditId}::bigint
  order by audit_id
  limit ${limit}::int`
