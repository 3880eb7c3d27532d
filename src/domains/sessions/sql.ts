import { sql } from '../../platform/postgres/sql.js'

/** How a session came to its end. */
export type Ending = 'committed' | 'rolled_back' | 'expired' | 'lost' | 'unknown'

/** What is remembered of a session beyond the process that held it. */
export interface SessionRecord {
  readonly owner: string
  readonly server_id: string
  readonly ended_as: Ending | null
}

/** One lock as PostgreSQL's lock table shows it. */
export interface LockHeld {
  readonly lock_type: string
  readonly relation: string | null
  readonly mode: string
  readonly granted: boolean
}

/** Remembers a session, so that after a restart its next use can be told what became of it. */
export const insertSession = (id: string, owner: string, serverId: string) => sql`
  insert into catalyst.db_sessions (session_id, owner, server_id)
  values (${id}::text, ${owner}::text, ${serverId}::text)`

/** Notes how a session ended. */
export const endSession = (id: string, endedAs: Ending) => sql`
  update catalyst.db_sessions
  set ended_as = ${endedAs}::text, ended_at = clock_timestamp()
  where session_id = ${id}::text
    and ended_as is null`

/** What is known of a session that this process does not hold. */
export const findSession = (id: string) => sql<SessionRecord>`
  select owner, server_id, ended_as
  from catalyst.db_sessions
  where session_id = ${id}::text`

/** Forgets sessions that nobody will ask about any more. */
export const forgetSessions = () => sql`
  delete from catalyst.db_sessions
  where session_id in (
    select session_id
    from catalyst.db_sessions
    where started_at < now() - interval '7 days'
    limit 100
  )`

/** The locks a backend holds or waits for. */
export const locksOf = (backendPid: number) => sql<LockHeld>`
  select
    locktype as lock_type,
    relation::regclass::text as relation,
    mode,
    granted
  from pg_locks
  where pid = ${backendPid}::int
    and locktype <> 'virtualxid'
  order by granted, relation, mode`
