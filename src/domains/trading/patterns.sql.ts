import type { Timeframe } from '../../lib/timeframes.js'
import { prepared, sql } from '../../platform/postgres/sql.js'

/** Outcomes at the levels of a detection's kind `k`. */
export interface CountsRow {
  readonly type_n: number
  readonly type_wins: number
  readonly catalyst_n: number
  readonly catalyst_wins: number
  readonly kind_n: number
  readonly kind_wins: number
}

/** A type has as many rows as there are timeframes and catalysts: dozens, found by the primary key. */
const counts = sql.trusted(`
  select
    coalesce(sum(c.n), 0)::float8 as type_n,
    coalesce(sum(c.wins), 0)::float8 as type_wins,
    coalesce(sum(c.n) filter (where a.is_alike), 0)::float8 as catalyst_n,
    coalesce(sum(c.wins) filter (where a.is_alike), 0)::float8 as catalyst_wins,
    coalesce(sum(c.n) filter (where a.is_same), 0)::float8 as kind_n,
    coalesce(sum(c.wins) filter (where a.is_same), 0)::float8 as kind_wins
  from catalyst.pattern_counts c
  cross join lateral (
    select
      (c.catalyst = 'none') = (k.catalyst = 'none') as is_alike,
      c.timeframe = k.timeframe and c.catalyst = k.catalyst as is_same
  ) a
  where c.pattern_type = k.pattern_type`)

/** Registers a pattern type; the number of rows tells whether it is new. */
export const addType = (patternType: string) => sql`
  insert into catalyst.pattern_types (pattern_type)
  values (${patternType}::text)
  on conflict do nothing`

/** A detection as it is stored. */
export interface DetectionRow {
  readonly security_id: number
  readonly pattern_type: string
  readonly timeframe: Timeframe
  /** Null: that of the pattern type. */
  readonly direction: string | null
  readonly confidence: number
  readonly bar_time: string
  readonly detected_at: string
  readonly has_catalyst: boolean
  readonly catalyst_type: string | null
  readonly alignment_score: number
  readonly price: string | null
}

/** What became of an attempt to store a detection, and what is known of its kind. */
export interface AddedRow extends CountsRow {
  /** Null when its bar has one already, or its type is not known. */
  readonly pattern_id: number | null
  readonly is_known_type: boolean
}

/**
 * Stores a detection that has no like in its bar, with its pending outcome. `patience` shortens the
 * wait for a transaction that is about to store the same one; null leaves it as it is.
 */
export const addDetection = (row: DetectionRow, patience: string | null) =>
  prepared(
    'pattern_add',
    sql<AddedRow>`
      with patience as materialized (
        select set_config(
          'lock_timeout',
          coalesce(${patience}::text, current_setting('lock_timeout')),
          true
        )
      ),
      given as (
        select
          ${row.pattern_type}::text collate "C" as pattern_type,
          ${row.timeframe}::text as timeframe,
          ${row.has_catalyst}::boolean as has_catalyst,
          ${row.catalyst_type}::text as catalyst_type
      ),
      added as (
        insert into catalyst.pattern_detections (
          security_id, pattern_type, timeframe, direction, confidence, bar_time, detected_at,
          has_catalyst, catalyst_type, alignment_score, price
        )
        select
          ${row.security_id}::int,
          t.pattern_type,
          g.timeframe,
          coalesce(${row.direction}::text, t.direction),
          ${row.confidence}::numeric,
          ${row.bar_time}::timestamptz,
          ${row.detected_at}::timestamptz,
          g.has_catalyst,
          g.catalyst_type,
          ${row.alignment_score}::numeric,
          ${row.price}::numeric
        from patience
        cross join given g
        join catalyst.pattern_types t on t.pattern_type = g.pattern_type
        on conflict (security_id, pattern_type, timeframe, bar_time) do nothing
        returning pattern_id
      ),
      outcomes as (
        insert into catalyst.pattern_outcomes (pattern_id, status)
        select pattern_id, 'pending'
        from added
      )
      select
        added.pattern_id,
        t.pattern_type is not null as is_known_type,
        r.type_n, r.type_wins, r.catalyst_n, r.catalyst_wins, r.kind_n, r.kind_wins
      from (
        select
          g.pattern_type,
          g.timeframe,
          case when g.has_catalyst then coalesce(g.catalyst_type, 'unspecified') else 'none' end
            as catalyst
        from given g
      ) k
      left join catalyst.pattern_types t on t.pattern_type = k.pattern_type
      left join added on true
      cross join lateral (${counts}) r`,
  )

/** The stored detection of a bar, and where it differs from the one given. */
export interface KnownRow extends CountsRow {
  readonly pattern_id: number
  readonly other_direction: boolean
  readonly other_confidence: boolean
  readonly other_alignment: boolean
  readonly other_price: boolean
}

/** Finds what a detection repeats. What the client left to the server does not differ. */
export const findDetection = (row: DetectionRow) =>
  prepared(
    'pattern_find',
    sql<KnownRow>`
      select
        k.pattern_id,
        k.direction <> coalesce(${row.direction}::text, k.direction) as other_direction,
        k.confidence <> ${row.confidence}::numeric(5, 4) as other_confidence,
        (k.has_catalyst, k.catalyst_type, k.alignment_score) is distinct from
          (${row.has_catalyst}::boolean, ${row.catalyst_type}::text,
            ${row.alignment_score}::numeric(5, 4)) as other_alignment,
        coalesce(k.price is distinct from ${row.price}::numeric and ${row.price}::numeric is not null,
          false) as other_price,
        r.type_n, r.type_wins, r.catalyst_n, r.catalyst_wins, r.kind_n, r.kind_wins
      from catalyst.pattern_detections k
      cross join lateral (${counts}) r
      where k.security_id = ${row.security_id}::int
        and k.pattern_type = ${row.pattern_type}::text
        and k.timeframe = ${row.timeframe}::text
        and k.bar_time = ${row.bar_time}::timestamptz`,
  )

/** An outcome told by hand. */
export interface ManualRow {
  readonly pattern_id: number
  readonly success: boolean
  readonly move_bps: string | null
  readonly evidence: Readonly<Record<string, unknown>> | string
}

/** What is known of an outcome before it is told by hand. */
export interface OutcomeRow {
  readonly status: 'pending' | 'resolved' | 'unresolvable'
  readonly success: boolean | null
  readonly method: 'trade' | 'price' | 'manual' | null
  /** Of the detection. */
  readonly symbol: string
  /** It has been told the same way before. */
  readonly is_same: boolean
}

/** Locks an outcome, so that who tells it next sees what became of it. */
export const lockOutcome = (row: ManualRow) => sql<OutcomeRow>`
  select
    o.status,
    o.success,
    o.method,
    (
      select s.symbol
      from catalyst.pattern_detections d
      join catalyst.securities s using (security_id)
      where d.pattern_id = o.pattern_id
    ) as symbol,
    (o.method, o.success, o.move_bps, o.evidence) is not distinct from
      ('manual'::text, ${row.success}::boolean, ${row.move_bps}::numeric,
        ${JSON.stringify(row.evidence)}::jsonb) as is_same
  from catalyst.pattern_outcomes o
  where o.pattern_id = ${row.pattern_id}::bigint
  for update`

/** Puts what was told by hand in place of what was known. */
export const resolveByHand = (row: ManualRow) => sql`
  update catalyst.pattern_outcomes
  set
    status = 'resolved',
    success = ${row.success}::boolean,
    method = 'manual',
    move_bps = ${row.move_bps}::numeric,
    minutes = null,
    position_id = null,
    reason = null,
    evidence = ${JSON.stringify(row.evidence)}::jsonb,
    resolved_at = clock_timestamp(),
    updated_at = clock_timestamp()
  where pattern_id = ${row.pattern_id}::bigint`

/** What is known of the kind of a stored detection. */
export const countsOf = (patternId: number) => sql<CountsRow>`
  select r.type_n, r.type_wins, r.catalyst_n, r.catalyst_wins, r.kind_n, r.kind_wins
  from catalyst.pattern_detections k
  cross join lateral (${counts}) r
  where k.pattern_id = ${patternId}::bigint`

/**
 * Counts the outcomes that this transaction changed and has not counted: others' are not visible.
 * Rows of pattern_stats are locked in the order of their key, so that two who count do not deadlock.
 */
export const countOutcomes = () => sql`
  with due as materialized (
    select
      o.pattern_id,
      d.pattern_type,
      d.timeframe,
      d.catalyst,
      (o.success is not null)::int - (o.counted is not null)::int as n,
      (o.success is true)::int - (o.counted is true)::int as wins
    from catalyst.pattern_outcomes o
    join catalyst.pattern_detections d using (pattern_id)
    where not o.is_counted
  ),
  marked as (
    update catalyst.pattern_outcomes o
    set counted = o.success
    from due
    where o.pattern_id = due.pattern_id
  ),
  change as materialized (
    select pattern_type, timeframe, catalyst, sum(n)::bigint as n, sum(wins)::bigint as wins
    from due
    group by pattern_type, timeframe, catalyst
    having sum(n) <> 0 or sum(wins) <> 0
  )
  insert into catalyst.pattern_stats as s (pattern_type, timeframe, catalyst, n, wins)
  select
    c.pattern_type,
    c.timeframe,
    c.catalyst,
    coalesce(known.n, 0) + c.n,
    coalesce(known.wins, 0) + c.wins
  from change c
  left join catalyst.pattern_stats known using (pattern_type, timeframe, catalyst)
  order by c.pattern_type, c.timeframe, c.catalyst
  on conflict (pattern_type, timeframe, catalyst) do update
  set (n, wins, updated_at) = (
    select s.n + c.n, s.wins + c.wins, clock_timestamp()
    from change c
    where (c.pattern_type, c.timeframe, c.catalyst) = (s.pattern_type, s.timeframe, s.catalyst)
  )`

/** The outcomes of one pattern type. */
export interface TypeCountsRow {
  readonly pattern_type: string
  readonly n: number
  readonly wins: number
}

/** Outcomes by pattern type. */
export const countsByType = () => sql<TypeCountsRow>`
  select c.pattern_type, sum(c.n)::float8 as n, sum(c.wins)::float8 as wins
  from catalyst.pattern_counts c
  group by c.pattern_type`

/** Which kinds a reader wants, and after which one the page begins. */
export interface StatisticsFilter {
  readonly pattern_type?: string | undefined
  readonly timeframe?: Timeframe | undefined
  readonly cursor?: readonly string[] | undefined
  readonly limit: number
}

/** One kind of patterns with its outcomes. */
export interface StatisticsRow extends CountsRow {
  readonly pattern_type: string
  readonly timeframe: Timeframe
  readonly catalyst: string
}

/** Kinds with outcomes, one more than a page has. */
export const listStatistics = ({ pattern_type, timeframe, cursor, limit }: StatisticsFilter) => {
  const [afterType = null, afterTimeframe = null, afterCatalyst = null] = cursor ?? []
  return sql<StatisticsRow>`
    with page as materialized (
      select c.pattern_type, c.timeframe, c.catalyst
      from catalyst.pattern_counts c
      where (${pattern_type ?? null}::text is null or c.pattern_type = ${pattern_type ?? null}::text)
        and (${timeframe ?? null}::text is null or c.timeframe = ${timeframe ?? null}::text)
        and (
          ${afterType}::text is null
          or (c.pattern_type, c.timeframe, c.catalyst)
            > (${afterType}::text, ${afterTimeframe}::text, ${afterCatalyst}::text)
        )
      group by c.pattern_type, c.timeframe, c.catalyst
      having sum(c.n) > 0
      order by c.pattern_type, c.timeframe, c.catalyst
      limit ${limit + 1}::int
    )
    select
      k.pattern_type,
      k.timeframe,
      k.catalyst,
      r.type_n, r.type_wins, r.catalyst_n, r.catalyst_wins, r.kind_n, r.kind_wins
    from page k
    cross join lateral (${counts}) r
    order by k.pattern_type, k.timeframe, k.catalyst`
}

/** The pattern types that were detected in a symbol, found by a probe for each type there is. */
export const typesOfSymbol = (symbol: string, limit: number) => sql<{ pattern_type: string }>`
  select t.pattern_type
  from catalyst.pattern_types t
  where exists (
    select
    from catalyst.pattern_detections d
    join catalyst.securities s on s.security_id = d.security_id
    where s.symbol = ${symbol}::text
      and d.pattern_type = t.pattern_type
  )
  order by t.pattern_type
  limit ${limit}::int`

/** A detection with what became of it. */
export interface DetectedRow {
  readonly pattern_id: number
  readonly timeframe: Timeframe
  readonly direction: string
  readonly confidence: number
  readonly detected_at: string
  readonly status: OutcomeRow['status']
  readonly success: boolean | null
}

/** The newest detections of one type in a symbol. */
export const latestDetections = (symbol: string, patternType: string, limit: number) =>
  sql<DetectedRow>`
    select
      d.pattern_id, d.timeframe, d.direction, d.confidence::float8 as confidence, d.detected_at,
      o.status, o.success
    from catalyst.pattern_detections d
    join catalyst.pattern_outcomes o using (pattern_id)
    where d.security_id = (
        select s.security_id from catalyst.securities s where s.symbol = ${symbol}::text
      )
      and d.pattern_type = ${patternType}::text
    order by d.detected_at desc, d.pattern_id desc
    limit ${limit}::int`

/**
 * Where the news expects the price of a security to move when a pattern is detected: of the day before,
 * and of the kind the client names, if any is. Null without such news, or where it does not agree.
 */
export const expectedDirection = (row: DetectionRow) => sql<{
  readonly news: number | null
  readonly pattern: number
}>`
  select
    case when min(n.expected_direction) = max(n.expected_direction)
      then min(n.expected_direction)
    end as news,
    (
      select case coalesce(${row.direction}::text, t.direction)
        when 'bullish' then 1
        when 'bearish' then -1
        else 0
      end
      from catalyst.pattern_types t
      where t.pattern_type = ${row.pattern_type}::text collate "C"
    ) as pattern
  from catalyst.news_articles n
  where n.security_id = ${row.security_id}::int
    and n.published_at between ${row.detected_at}::timestamptz - interval '24 hours'
      and ${row.detected_at}::timestamptz
    and n.expected_direction <> 0
    and (
      ${row.catalyst_type}::text is null
      or n.catalyst_type is null
      or n.catalyst_type = ${row.catalyst_type}::text
    )`
