import type { PublishedEvent } from '../../events.js'
import type { Marks } from '../../lib/marks.js'
import { prepared, type Statement, machinerySql as sql } from './sql.js'
import { TIMELINE } from './standing.js'

/** Where publishers say that there is something new; the payload is the newest seq. */
export const CHANNEL = 'catalyst_events'

const LOCK_CLASS = 1_127_429_203
const PUBLISHER_LOCK = 2
/** One partition of the log. */
const PARTITION_SIZE = 1_000_000
/** Events and idempotency keys are kept for so long; of events, whole partitions are dropped. */
const RETENTION = '7 days'

/** What one round of publishing did. */
export interface Published {
  readonly moved: number
  readonly last_seq: number | null
}

/**
 * Moves committed outbox rows into the log, in the order they were written, and wakes every server:
 * one round trip, so without parameters. One publisher works at a time; its lock is kept until its
 * commit is visible, which is what makes seq free of holes, and the move has a snapshot of its own,
 * taken when the lock is held. The last but one result is `Published`.
 */
export const publish = (limit: number): string => `
  begin;
  select pg_advisory_xact_lock(${LOCK_CLASS}, ${PUBLISHER_LOCK});
  with taken as (
    delete from catalyst.event_outbox
    where outbox_id in (
      select outbox_id from catalyst.event_outbox order by outbox_id limit ${limit}
    )
    returning outbox_id, type, severity, data, event_id, at
  ),
  published as (
    insert into catalyst.events (seq, type, severity, data, event_id, at)
    select nextval('catalyst.event_seq'), type, severity, data, event_id, at
    from (select * from taken order by outbox_id) as ordered
    returning seq
  )
  select
    count(*)::int as moved,
    max(seq) as last_seq,
    case when count(*) > 0 then pg_notify('${CHANNEL}', max(seq)::text) end as notified
  from published;
  commit`

/** The newest published seq; 0 when nothing was published yet. */
export const latestSeq = () => sql<{ seq: number }>`
  select coalesce(max(seq), 0)::bigint as seq
  from catalyst.events`

/** What one event declares outdated. */
export interface Outdating {
  readonly touched: Marks | null
  readonly pattern: string | null
}

/** The log at one instant. */
export interface LogSight {
  /** Another one after a failover, a restore or a move: `seq` then counts other events. */
  readonly log_id: string
  readonly head: number
  /** From where on the log was looked through: the given seq, or later when that lies far back. */
  readonly looked_from: number
  /** The newest published since, in order; one more than `limit` when there are more. */
  readonly published: readonly (Outdating & { readonly seq: number })[]
  /** Committed, with a `seq` to come that is above `head`; one more than `limit` likewise. */
  readonly pending: readonly Outdating[]
}

/** Of an event, what declares something outdated. */
const outdating = sql.trusted(`
  data -> 'touched' as touched,
  data ->> 'pattern' as pattern`)
const isOutdating = sql.trusted(`data ?| array['touched', 'pattern']`)
/** So many events are looked through in tens of milliseconds. */
const LOOK_BACK = 20_000

/**
 * Everything that has committed and outdates something, beyond what is known up to `after`. One
 * statement sees each event either in the log or in the outbox, for the publisher moves them at once.
 */
export const sightLog = (after: number, limit: number) =>
  prepared(
    'events.sight',
    sql<LogSight>`
      select
        concat_ws('/', c.system_identifier, ${sql.trusted(TIMELINE)}, d.oid) as log_id,
        l.head,
        greatest(${after}::bigint, l.head - ${LOOK_BACK}::bigint) as looked_from,
        (
          select coalesce(json_agg(e order by e.seq), '[]')
          from (
            select seq, ${outdating}
            from catalyst.events
            where seq > greatest(${after}::bigint, l.head - ${LOOK_BACK}::bigint)
              and ${isOutdating}
            order by seq desc
            limit ${limit}::int + 1
          ) e
        ) as published,
        (
          select coalesce(json_agg(o), '[]')
          from (
            select ${outdating}
            from catalyst.event_outbox
            where ${isOutdating}
            order by outbox_id
            limit ${limit}::int + 1
          ) o
        ) as pending
      from pg_control_system() c, pg_database d,
        (select coalesce(max(seq), 0)::bigint as head from catalyst.events) l
      where d.datname = current_database()`,
  )

/** Events after `after` in order; of some types only, when given. */
export const eventsAfter = (after: number, types: readonly string[] | null, limit: number) =>
  sql<PublishedEvent>`
    select seq, type, at, severity, data
    from catalyst.events
    where seq > ${after}::bigint
      and (${types}::text[] is null or type = any(${types}::text[]))
    order by seq
    limit ${limit}::int`

/** The newest events, oldest of them first. */
export const newestEvents = (types: readonly string[] | null, limit: number) =>
  sql<PublishedEvent>`
    select *
    from (
      select seq, type, at, severity, data
      from catalyst.events
      where ${types}::text[] is null or type = any(${types}::text[])
      order by seq desc
      limit ${limit}::int
    ) as newest
    order by seq`

/** The oldest event still kept, the newest published, and the last seq that was ever given here. */
export const eventBounds = () => sql<{ oldest: number | null; newest: number; given: number }>`
  select
    (select min(seq) from catalyst.events) as oldest,
    coalesce((select max(seq) from catalyst.events), 0)::bigint as newest,
    (select case when is_called then last_value else 0 end from catalyst.event_seq) as given`

/** The partition that holds a range of `seq`, by its number. */
const partitionName = (number: number): string => `events_${number}`

/**
 * What makes the partition after the current one, once that is four fifths full; nothing before.
 * ATTACH takes only a lock that readers and writers do not notice.
 */
export function partitionAhead(lastSeq: number): string[] {
  const current = Math.floor(lastSeq / PARTITION_SIZE)
  if (lastSeq - current * PARTITION_SIZE < 0.8 * PARTITION_SIZE) return []
  const next = current + 1
  const name = partitionName(next)
  return [
    `do $$ begin
       if to_regclass('catalyst.${name}') is null then
         perform catalyst.change_schema('create table catalyst.${name} (like catalyst.events including defaults including constraints)');
         perform catalyst.change_schema('alter table catalyst.events attach partition catalyst.${name}
           for values from (${next * PARTITION_SIZE}) to (${(next + 1) * PARTITION_SIZE})');
       end if;
     end $$`,
  ]
}

/**
 * Full partitions whose newest event is older than the retention. Their numbers are counted, not read
 * out of names in the catalog: a cast of a name may be planned before what picks the right ones.
 */
export const expiredPartitions = () => sql<{ number: number }>`
  select n as number
  from generate_series(
    (select min(seq) from catalyst.events) / ${PARTITION_SIZE}::bigint,
    (select last_value from catalyst.event_seq) / ${PARTITION_SIZE}::bigint - 1
  ) n
  where not exists (
    select 1
    from catalyst.events
    where seq >= n * ${PARTITION_SIZE}::bigint
      and seq < (n + 1) * ${PARTITION_SIZE}::bigint
      and published_at > now() - ${RETENTION}::interval
  )`

/** Drops one partition of the log. */
export const dropPartition = (number: number): Statement<never> =>
  sql.trusted(
    `select catalyst.change_schema('drop table if exists catalyst.${partitionName(number)}')`,
  )

/** Forgets idempotency keys that nobody will repeat any more. */
export const forgetKeys = () => sql`
  delete from catalyst.idempotency_keys
  where created_at < now() - ${RETENTION}::interval`
