import { machinery, OF_MACHINERY, sql } from '../../platform/postgres/sql.js'

/** Counters of one statement since `stats_reset`, or since it was seen first. */
export interface StatementCounters {
  /** What tells it apart: role, id of the statement, whether it was sent by a client. */
  readonly key: string
  readonly queryid: string
  readonly calls: number
  readonly total_ms: number
  readonly rows: number
  readonly blocks_hit: number
  readonly blocks_read: number
  readonly temp_blocks: number
}

/** All of them at one moment. */
export interface StatementSnapshot {
  readonly at_ms: number
  readonly stats_reset: string
  /** How often entries were dropped for want of room. */
  readonly evictions: number
  readonly statements: readonly StatementCounters[]
  readonly block_size: number
}

/** Counters of this database without their texts, which PostgreSQL keeps in a file. */
export const statementCounters = (schema: string) =>
  machinery(sql<StatementSnapshot>`
  select
    extract(epoch from clock_timestamp())::float8 * 1000 as at_ms,
    (select coalesce(stats_reset::text, '') from ${sql.id(schema)}.pg_stat_statements_info) as stats_reset,
    (select dealloc::float8 from ${sql.id(schema)}.pg_stat_statements_info) as evictions,
    current_setting('block_size')::int as block_size,
    (select coalesce(json_agg(json_build_object(
      'key', concat_ws(':', userid, queryid, toplevel),
      'queryid', queryid::text,
      'calls', calls,
      'total_ms', total_exec_time,
      'rows', rows,
      'blocks_hit', shared_blks_hit,
      'blocks_read', shared_blks_read,
      'temp_blocks', temp_blks_written)), '[]')
      from ${sql.id(schema)}.pg_stat_statements(false)
      where dbid = (select oid from pg_database where datname = current_database())
        and queryid is not null) as statements`)

/** The texts of some of them: at most 2 000 characters, in one line; null for a role that may not see them. */
export const statementTexts = (schema: string, queryids: readonly string[]) =>
  machinery(sql<{
    key: string
    query: string | null
    is_own: boolean
    role: string | null
  }>`
  select
    concat_ws(':', s.userid, s.queryid, s.toplevel) as key,
    case when s.query = '<insufficient privilege>' then null
      else left(regexp_replace(s.query, '\\s+', ' ', 'g'), 2000) end as query,
    strpos(s.query, ${sql.trusted(`'${OF_MACHINERY}'`)}) > 0 as is_own,
    (select rolname from pg_roles where oid = s.userid) as role
  from ${sql.id(schema)}.pg_stat_statements s
  where s.dbid = (select oid from pg_database where datname = current_database())
    and s.queryid = any(${sql.trusted(`'{${queryids.filter((id) => /^-?\d+$/.test(id)).join(',')}}'`)}::bigint[])`)
