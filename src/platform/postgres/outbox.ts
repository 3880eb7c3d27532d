import { EVENTS, type EventData, type EventType } from '../../events.js'
import type { AuditEntry } from './audit-trail.sql.js'
import { prepared, machinerySql as sql } from './sql.js'
import { TIMELINE } from './standing.js'

/** Of one transaction, what only its own commit can make visible. */
export interface Trace {
  readonly transaction_id: string
  /** Of the server that ran it: transaction ids are counted anew on another one. */
  readonly timeline: number
  /** Random, so that no other transaction's event can be taken for it. */
  readonly event_id: string
  readonly at: string
}

/** Writes one event beside the fact it reports; visible to the publisher once the transaction commits. */
export const insertOutbox = <T extends EventType>(type: T, data: EventData<T>) =>
  prepared('outbox.insert', insertion(type, data))

/** The same, with the audit entry of the call. */
export const insertOutboxAndAudit = <T extends EventType>(
  type: T,
  data: EventData<T>,
  entry: AuditEntry,
) =>
  prepared(
    'outbox.insert-and-audit',
    sql<Trace>`
      with audited as (
        insert into catalyst.audit_outbox (entry)
        values (
          ${JSON.stringify(entry)}::jsonb
            || jsonb_build_object('transaction_id', pg_current_xact_id()::text)
        )
      )
      ${insertion(type, data)}`,
  )

const insertion = <T extends EventType>(type: T, data: EventData<T>) =>
  sql<Trace>`
      insert into catalyst.event_outbox (type, severity, data)
      values (
        ${type}::text,
        ${EVENTS[type].severity}::text,
        ${JSON.stringify(data)}::jsonb
          || jsonb_build_object('transaction_id', pg_current_xact_id()::text)
      )
      returning
        transaction_id::text as transaction_id,
        ${sql.trusted(TIMELINE)} as timeline,
        event_id::text as event_id,
        at::text as at`

/** PostgreSQL's id of the running transaction; assigns one if it has written nothing yet. */
export const selectTransactionId = () =>
  sql<{ transaction_id: string }>`select pg_current_xact_id()::text as transaction_id`
