import { sql } from '../../platform/postgres/sql.js'

/** One backend, told apart from a later one with the same number. */
export interface BackendId {
  readonly pid: number
  readonly connected_at: string
  readonly terminate: boolean
}

/** A backend of this database as somebody should know it who is to end it. */
export interface FoundBackend {
  readonly pid: number
  readonly connected_at: string
  readonly application_name: string
  readonly state: string | null
  readonly transaction_started_at: string | null
  readonly query: string | null
  readonly waiting: number
}

const isIt = ({ pid, connected_at }: BackendId) => sql`
  activity.pid = ${pid}::int
    and date_trunc('milliseconds', activity.backend_start)
      = date_trunc('milliseconds', ${connected_at}::timestamptz)
    and activity.datname = current_database()
    and activity.backend_type = 'client backend'
    and activity.pid <> pg_backend_pid()`

/** The backend, and how many wait for it. */
export const findBackend = (id: BackendId) => sql<FoundBackend>`
  select
    pid,
    backend_start as connected_at,
    application_name,
    state,
    xact_start as transaction_started_at,
    left(query, 500) as query,
    (
      select count(*)::int
      from pg_stat_activity as waiting
      where activity.pid = any(pg_blocking_pids(waiting.pid))
    ) as waiting
  from pg_stat_activity as activity
  where ${isIt(id)}`

/** Cancels what the backend does, or ends it. */
export const signal = (id: BackendId) => sql<{ sent: boolean }>`
  select
    case when ${id.terminate}::boolean then pg_terminate_backend(pid) else pg_cancel_backend(pid)
    end as sent
  from pg_stat_activity as activity
  where ${isIt(id)}`
