import type { AuditedCall } from '../../lib/call-record.js'
import { machinerySql as sql } from './sql.js'

/** A call with its time and the server that answered it. */
export interface AuditEntry extends AuditedCall {
  readonly at: string
  readonly server_id: string
}

/** One place of the chain. */
export interface ChainLink {
  readonly audit_id: number
  readonly hash: string
}

/** An entry in its place in the chain. */
export interface ChainedEntry extends AuditEntry, ChainLink {
  /** Its first day, such as `2024-12-01`. */
  readonly month: string
  readonly previous_hash: string
}

/** A month of the chain: where it begins and, at its last entry, ends. */
export interface ChainMonth extends ChainLink {
  readonly month: string
  readonly first_id: number
  readonly previous_hash: string
}

/** A month that is over. */
export interface SealedMonth extends ChainMonth {
  /** Its entries are no longer kept from here on; null while they are. */
  readonly dropped_at: string | null
}

const MONTH = sql.trusted('month, first_id, previous_hash, audit_id, hash')

/** Locks the end of the chain: one writer appends, and one makes or drops months, at a time. */
export const lockHead = () => sql<ChainMonth>`
  select ${MONTH}
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

/** Leaves an entry for whoever appends next. */
export const insertEntry = (entry: AuditEntry) => sql`
  insert into catalyst.audit_outbox (entry)
  values (${JSON.stringify(entry)}::jsonb)`

/** Seals the month of the head, if it has entries, and begins another one at its end. */
export const beginMonth = (month: string) => sql`
  with sealed as (
    insert into catalyst.audit_seals (${MONTH})
    select ${MONTH}
    from catalyst.audit_head
    where audit_id >= first_id
  )
  update catalyst.audit_head
  set month = ${month}::date, first_id = audit_id + 1, previous_hash = hash`

/** Makes the partition of a month, when it is not there. */
export const ensureMonth = (month: string) =>
  sql<{ created: boolean }>`select catalyst.ensure_audit_month(${month}::date) as created`

/** Appends entries to the chain and moves its end. */
export const append = (entries: readonly ChainedEntry[], head: ChainLink) => sql`
  with appended as (
    insert into catalyst.audit_log
    select *
    from json_populate_recordset(null::catalyst.audit_log, ${JSON.stringify(entries)}::json)
  )
  update catalyst.audit_head
  set audit_id = ${head.audit_id}::bigint, hash = ${head.hash}::text`

/** All months of the chain at one instant: those that are over, and the one of the head. */
export const readMonths = () => sql<{
  readonly seals: readonly SealedMonth[]
  readonly head: ChainMonth
}>`
  select
    (
      select coalesce(json_agg(s order by s.first_id), '[]')
      from (select ${MONTH}, dropped_at from catalyst.audit_seals) s
    ) as seals,
    (
      select row_to_json(h)
      from (select ${MONTH} from catalyst.audit_head) h
    ) as head`

/** Whether exactly this entry is in the chain. */
export const isInChain = ({ audit_id, hash }: ChainLink) => sql<{ present: boolean }>`
  select exists (
    select 1
    from catalyst.audit_log
    where audit_id = ${audit_id}::bigint
      and hash = ${hash}::text
  ) as present`

/** A stretch of one month of the chain in order. */
export const entriesAfter = (month: string, auditId: number, limit: number) => sql<ChainedEntry>`
  select
    audit_id, month, at, server_id, principal, request_id, tool, arguments_sha256, outcome, calls,
    duration_ms::float8 as duration_ms, session_id, transaction_id, confirmed_by, plan,
    previous_hash, hash
  from catalyst.audit_log
  where month = ${month}::date
    and audit_id > ${auditId}::bigint
  order by audit_id
  limit ${limit}::int`

/** An entry of a month that is not one of these, up to the newest of them. */
export const findStray = (months: readonly string[]) => sql<{ audit_id: number }>`
  select audit_id
  from catalyst.audit_log
  where month <> all(${months}::date[])
    and month < (select max(known) from unnest(${months}::date[]) as known)
  order by audit_id
  limit 1`

/** Months that are over, still kept, and lie before `month`. */
export const sealedBefore = (month: string) => sql<ChainMonth>`
  select ${MONTH}
  from catalyst.audit_seals
  where dropped_at is null
    and month < ${month}::date
  order by month`

/** Drops the entries of a sealed month. */
export const dropMonth = (month: string) => sql<never>`
  select catalyst.change_schema(
    format('drop table if exists catalyst.%I', ${`audit_log_${month.slice(0, 7).replace('-', '')}`}::text))`

/** Notes that the entries of a month are no longer kept. */
export const markDropped = (month: string) => sql`
  update catalyst.audit_seals
  set dropped_at = clock_timestamp()
  where month = ${month}::date`
