import { sql } from '../../platform/postgres/sql.js'

/** Routines that PostgreSQL itself brings under one name, as far as a call can tell them apart. */
export interface KnownFunction {
  readonly oid: number
  readonly name: string
  /** Of information_schema are only those that its own views call. */
  readonly is_catalog: boolean
  readonly least: number
  readonly most: number
  readonly is_allowed: boolean
}

/**
 * What reads nothing but its arguments or harmless figures, although it may answer otherwise each time.
 */
const HARMLESS_VOLATILE = [
  ...['random', 'random_normal', 'array_sample', 'array_shuffle', 'gen_random_uuid', 'uuidv4'],
  ...['uuidv7', 'clock_timestamp', 'pg_is_in_recovery', 'pg_relation_size', 'pg_table_size'],
  ...['pg_indexes_size', 'pg_total_relation_size', 'pg_database_size', 'pg_partition_tree'],
  ...['pg_partition_ancestors', 'pg_sequence_last_value'],
]

/**
 * What PostgreSQL calls stable and is not harmless: it takes a transaction id, runs SQL or input functions
 * that come as text, reads files, settings, or what other sessions do.
 */
const FORBIDDEN = `^(
  (table|schema|database|query|cursor)_to_xml.*
  |txid_current|pg_current_xact_id
  |ts_stat|ts_rewrite_.*
  |current_setting|pg_show_all_settings|pg_settings_get_flags|pg_config|pg_conf_load_time
  |pg_input_is_valid|pg_input_error_info
  |pg_(relation_filepath|tablespace_location|tablespace_databases|available_extension.*|extension_update_paths)
  |pg_stat_get_(activity|backend_.*|wal_senders|wal_receiver|replication_slot|subscription.*|progress_info)
  |pg_(cursor|prepared_statement|listening_channels|get_replication_slots|get_publication_tables)
  |pg_event_trigger_.*
  |lo_.*|.*_validator
)$`.replaceAll(/\s+/g, '')

const isAllowed = sql.trusted(`
  pg_proc.oid < 16384
  and prokind in ('f', 'a', 'w')
  and (provolatile <> 'v' or proname = any ('{${HARMLESS_VOLATILE.join(',')}}'))
  and proname !~ '${FORBIDDEN}'
  -- Input functions run the checks of domains; the others cannot be called from SQL.
  and not ('{cstring,internal}'::regtype[]::oid[] && (proargtypes::oid[] || prorettype))
  and prorettype <> all (
    '{trigger,event_trigger,language_handler,index_am_handler,table_am_handler,fdw_handler,tsm_handler}'
      ::regtype[]::oid[]
  )`)

/** Every routine that PostgreSQL brings, with whether queries may call it. */
export const knownFunctions = () => sql<KnownFunction>`
  select
    oid::int8 as oid,
    proname::text as name,
    pronamespace = 'pg_catalog'::regnamespace as is_catalog,
    (pronargs - pronargdefaults - case when provariadic <> 0 then 1 else 0 end)::int as least,
    case when provariadic <> 0 then 100000 else pronargs::int end as most,
    ${isAllowed} as is_allowed
  from pg_proc
  where pronamespace in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
    and prokind <> 'p'`

/** Operators of PostgreSQL itself that queries must not use. */
export const forbiddenOperators = () => sql<{ name: string }>`
  select distinct oprname::text as name
  from pg_operator
  join pg_proc on pg_proc.oid = oprcode
  where oprnamespace = 'pg_catalog'::regnamespace
    and not (${isAllowed})`

/** A name of a statement that has no schema, and the schema it is found in. */
export interface FoundName {
  readonly kind: 'relation' | 'type'
  readonly name: string
  readonly schema: string
}

/** Where relations and types without a schema are: PostgreSQL's own first, as it looks itself. */
export const findNames = (
  names: readonly { kind: string; name: string }[],
  path: readonly string[],
) => sql<FoundName>`
  with place as (
    select pg_namespace.oid, nspname, position
    from unnest(array['pg_catalog'] || ${path}::text[]) with ordinality as path (name, position)
    join pg_namespace on nspname = name
    where has_schema_privilege(pg_namespace.oid, 'USAGE') or nspname = any (${path}::text[])
  )
  select distinct on (kind, name) kind, name, nspname::text as schema
  from jsonb_to_recordset(${JSON.stringify(names)}::jsonb) as wanted (kind text, name text)
  cross join place
  where case kind
    when 'relation' then exists (
      select from pg_class where relnamespace = place.oid and relname = name and relkind not in ('i', 'I', 'c')
    )
    else exists (select from pg_type where typnamespace = place.oid and typname = name)
  end
  order by kind, name, position`

/** A relation or type by its full name. */
interface NamedObject {
  readonly schema: string | null
  readonly name: string
}

/** A relation that a statement comes to, itself or through views and partitions. */
export interface ReachedRelation {
  readonly schema: string
  readonly name: string
  readonly kind: string
  /** It is named in the statement. */
  readonly is_named: boolean
  readonly is_readable: boolean
}

/** Code that runs with a statement although it is not in its text. */
export interface CodeBehind {
  /** `view orders_view`, `policy p of orders`. */
  readonly where: string
  /** Of the function. */
  readonly oid: number
  /** Where the function counts only when it is computed while planning: the expression. */
  readonly tree: string | null
}

/** Everything behind the names of a statement. */
export interface Behind {
  readonly relations: readonly ReachedRelation[]
  readonly code: readonly CodeBehind[]
}

/** Oids of what a stored tree calls, operators by their functions. */
const called = sql.trusted(`
  called as (
    select place, case when is_planned then tree end as tree, match[1]::oid as oid
    from code
    cross join lateral regexp_matches(tree, ':(?:funcid|opfuncid|aggfnoid|winfnoid|tsmhandler) (\\d+)', 'g') as match
    union
    select place, case when is_planned then tree end, oprcode::oid
    from code
    cross join lateral regexp_matches(tree, ':(?:opno|eqop|sortop) (\\d+)', 'g') as match
    join pg_operator on pg_operator.oid = match[1]::oid
  )`)

const calls = sql.trusted(`
  select coalesce(jsonb_agg(jsonb_build_object('where', place, 'oid', oid::int8, 'tree', tree)), '[]')
  from called
  where oid <> 0`)

const codeOf = sql.trusted(`
  select 'view ' || ev_class::regclass, ev_action::text, false
  from pg_rewrite
  where ev_class = reached.oid and ev_type = '1'
  union all
  select format('policy %s of %s', polname, polrelid::regclass), concat(polqual, ' ', polwithcheck), false
  from pg_policy
  where polrelid = reached.oid
  union all
  select 'index ' || indexrelid::regclass, concat(indexprs, ' ', indpred), true
  from pg_index
  where indrelid = reached.oid and coalesce(indexprs, indpred) is not null
  union all
  select 'a check of ' || conrelid::regclass, conbin::text, true
  from pg_constraint
  where conrelid = reached.oid and contype = 'c'
  union all
  select 'the statistics of ' || stxrelid::regclass, stxexprs::text, true
  from pg_statistic_ext
  where stxrelid = reached.oid and stxexprs is not null
  union all
  select 'a column of ' || adrelid::regclass, adbin::text, false
  from pg_attrdef
  where adrelid = reached.oid
    and exists (
      select from pg_attribute where attrelid = adrelid and attnum = adnum and attgenerated = 'v'
    )`)

/**
 * Follows relations through views and partitions, and reads from the stored trees which functions and
 * operators they call, by oid. Views of PostgreSQL itself show what they may, so what they read is not
 * followed. To be asked after the statement was parsed: what it reads is locked since.
 */
export const behindRelations = (relations: readonly NamedObject[]) => sql<Behind>`
  with recursive reached (oid, is_named) as (
    select class.oid, true
    from jsonb_to_recordset(${JSON.stringify(relations)}::jsonb) as named (schema name, name name)
    join pg_namespace on nspname = coalesce(named.schema, 'pg_catalog')
    join pg_class as class on relnamespace = pg_namespace.oid and relname = named.name
    union
    select next.oid, false
    from reached
    cross join lateral (
      select inhrelid from pg_inherits where inhparent = reached.oid
      union all
      select match[1]::oid
      from pg_rewrite
      join pg_class as viewed on viewed.oid = ev_class
      cross join lateral regexp_matches(ev_action::text, ':relid (\\d+)', 'g') as match
      where ev_class = reached.oid
        and ev_type = '1'
        and relnamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
    ) as next (oid)
  ),
  code (place, tree, is_planned) as (
    select found.place, found.tree, found.is_planned
    from (select distinct oid from reached) as reached
    cross join lateral (${codeOf}) as found (place, tree, is_planned)
  ),
  ${called}
  select
    (
      select coalesce(jsonb_agg(jsonb_build_object(
        'schema', nspname,
        'name', relname,
        'kind', relkind,
        'is_named', is_named,
        'is_readable', has_table_privilege(class.oid, 'SELECT') or has_any_column_privilege(class.oid, 'SELECT')
      )), '[]')
      from (select oid, bool_or(is_named) as is_named from reached group by oid) as reached
      join pg_class as class on class.oid = reached.oid
      join pg_namespace on pg_namespace.oid = relnamespace
    ) as relations,
    (${calls}) as code`

/** The same for types: through domains, arrays, rows and ranges, also of tables whose rows are made of JSON. */
export const behindTypes = (
  types: readonly NamedObject[],
  relations: readonly NamedObject[],
) => sql<Pick<Behind, 'code'>>`
  with recursive typed (oid) as (
    select pg_type.oid
    from jsonb_to_recordset(${JSON.stringify([...types, ...relations])}::jsonb) as named (schema name, name name)
    join pg_namespace on nspname = coalesce(named.schema, 'pg_catalog')
    join pg_type on typnamespace = pg_namespace.oid and typname = named.name
    union
    select next.oid
    from typed
    join pg_type as outside on outside.oid = typed.oid
    cross join lateral (
      select unnest(array[typbasetype, typelem])
      union all
      select atttypid from pg_attribute where attrelid = typrelid and attnum > 0 and not attisdropped
      union all
      select rngsubtype from pg_range where outside.oid = rngtypid
    ) as next (oid)
    where next.oid <> 0
  ),
  code (place, tree, is_planned) as (
    select 'domain ' || contypid::regtype, conbin::text, false
    from pg_constraint
    where contypid in (select oid from typed where oid >= 16384)
  ),
  ${called}
  select (${calls}) as code`

/** Signatures of functions. */
export const signatures = (oids: readonly number[]) => sql<{ oid: number; signature: string }>`
  select oid::int8 as oid, oid::regprocedure::text as signature
  from pg_proc
  where oid = any (${oids}::int8[]::oid[])`

/** A routine of an extension or of the operator, by the names of its schema and itself. */
export const signaturesOf = (name: string, schema: string | null) => sql<{ signature: string }>`
  select oid::regprocedure::text as signature
  from pg_proc
  where proname = ${name}
    and (${schema}::text is null or pronamespace = to_regnamespace(quote_ident(${schema})))
    and pronamespace <> 'pg_catalog'::regnamespace
  order by 1
  limit 20`

/** The function of an operator that has a schema. */
export const operatorFunctions = (schema: string, name: string) => sql<{
  signature: string
  is_system: boolean
}>`
  select distinct oprcode::regprocedure::text as signature, oprnamespace = 'pg_catalog'::regnamespace as is_system
  from pg_operator
  join pg_namespace on pg_namespace.oid = oprnamespace
  where nspname = ${schema} and oprname = ${name}`

/** How a type of an answer is told. */
export interface TypeRow {
  readonly type: number
  readonly modifier: number
  readonly name: string
  readonly element: number | null
  readonly delimiter: string
}

/** Names of types, and what arrays are made of. */
export const typeFacts = (columns: readonly { type: number; modifier: number }[]) => sql<TypeRow>`
  select
    wanted.type::int8 as type,
    wanted.modifier,
    format_type(wanted.type::oid, wanted.modifier) as name,
    case
      when pg_type.typcategory = 'A' and pg_type.typelem <> 0 and pg_type.typlen = -1
      then pg_type.typelem::int8
    end as element,
    coalesce(inner_type.typdelim, ',')::text as delimiter
  from jsonb_to_recordset(${JSON.stringify(columns)}::jsonb) as wanted (type int8, modifier int4)
  join pg_type on pg_type.oid = wanted.type::oid
  left join pg_type as inner_type on inner_type.oid = pg_type.typelem`
