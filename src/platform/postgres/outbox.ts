import { EVENTS, type EventData, type EventType } from '../../events.js'
import { prepared, sql } from './sql.js'

/** Writes one event beside the fact it reports; visible to the publisher once the transaction commits. */
export const insertOutbox = <T extends EventType>(type: T, data: EventData<T>) =>
  prepared(
    'outbox.insert',
    sql<{ transaction_id: string }>`
      insert into catalyst.event_outbox (type, severity, data)
      values (
        ${type}::text,
        ${EVENTS[type].severity}::text,
        ${JSON.stringify(data)}::jsonb
          || jsonb_build_object('transaction_id', pg_current_xact_id()::text)
      )
      returning transaction_id::text as transaction_id`,
  )

/** PostgreSQL's id of the running transaction; assigns one if it has written nothing yet. */
export const selectTransactionId = () =>
  sql<{ transaction_id: string }>`select pg_current_xact_id()::text as transaction_id`
