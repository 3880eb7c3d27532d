import { machinerySql as sql } from '../../platform/postgres/sql.js'

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

/** Class of the advisory locks by which servers are known to live. */
const SERVER_LOCK_CLASS = 1_127_429_204

/** Says that a server lives, for as long as the connection does on which it was said. */
export const sayAlive = (serverId: string) => sql`
  select pg_try_advisory_lock_shared(${SERVER_LOCK_CLASS}::integer, hashtext(${serverId}::text))`

/** Other servers with sessions that have not ended, and no connection that says that they live. */
export const listSilentServers = (ownServerId: string) => sql<{ server_id: string }>`
  select distinct session.server_id
  from catalyst.db_sessions as session
  where session.ended_as is null
    and session.server_id <> ${ownServerId}::text
    and not exists (
      select 1
      from pg_locks as held
      where held.locktype = 'advisory'
        and held.database = (select oid from pg_database where datname = current_database())
        and held.classid = ${SERVER_LOCK_CLASS}::oid
        and held.objid::bigint = hashtext(session.server_id)::bigint & 4294967295
        and held.objsubid = 2
        and held.granted
    )`

/** Notes that the sessions of a dead server are lost. */
export const endSessionsOf = (serverId: string) => sql<{ session_id: string }>`
  update catalyst.db_sessions
  set ended_as = 'lost', ended_at = clock_timestamp()
  where server_id = ${serverId}::text
    and ended_as is null
  returning session_id`

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
