import { type Statement, sql } from '../sql.js'

/** One line of a hand-over, or why something stays with its owner. */
export interface HandOverRow {
  readonly object: string
  /** Null where it stays. */
  readonly line: string | null
  /** Null where it is handed over. */
  readonly reason: string | null
}

/**
 * What somebody owns and may hand over: never what is the product's, the server's, or of an extension.
 * What follows its table (indexes, its own sequences) is not mentioned.
 */
const belonging = sql.trusted(`
  select concat(catalog, '.', entry.oid) as id, entry.*
  from (
    select
      'pg_class'::regclass as catalog,
      class.oid,
      relnamespace as schema,
      class.oid as relation,
      relname::text as name,
      relowner as owner,
      case relkind
        when 'v' then 'view'
        when 'm' then 'materialized view'
        when 'S' then 'sequence'
        when 'f' then 'foreign table'
        else 'table'
      end as keyword,
      format('%I.%I', nspname, relname) as ident,
      case when relrowsecurity and not relforcerowsecurity then 'row security' end as peculiarity
    from pg_class as class
    join open_schema as namespace on namespace.oid = relnamespace
    where relkind in ('r', 'p', 'v', 'm', 'f', 'S')
      and not exists (select from own_sequence where sequence = class.oid)
    union all
    select 'pg_proc'::regclass, proc.oid, pronamespace, null, proname, proowner,
      case prokind when 'p' then 'procedure' when 'a' then 'routine' else 'function' end,
      format('%I.%I(%s)', nspname, proname, pg_get_function_identity_arguments(proc.oid)),
      case when prosecdef then 'definer' end
    from pg_proc as proc
    join open_schema as namespace on namespace.oid = pronamespace
    union all
    select 'pg_type'::regclass, type.oid, typnamespace, null, typname, typowner,
      case typtype when 'd' then 'domain' else 'type' end,
      format('%I.%I', nspname, typname),
      null
    from pg_type as type
    join open_schema as namespace on namespace.oid = typnamespace
    where typtype in ('e', 'd', 'r')
      or exists (select from pg_class where oid = typrelid and relkind = 'c')
    union all
    select 'pg_statistic_ext'::regclass, statistic.oid, stxnamespace, null, stxname, stxowner,
      'statistics', format('%I.%I', nspname, stxname), null
    from pg_statistic_ext as statistic
    join open_schema as namespace on namespace.oid = stxnamespace
    union all
    select 'pg_namespace'::regclass, oid, oid, null, nspname, nspowner, 'schema',
      quote_ident(nspname), null
    from open_schema
  ) as entry
  where not exists (
    select from pg_depend
    where deptype in ('e', 'i') and classid = catalog and objid = entry.oid and refobjid <> objid
  )`)

/** The schemas that are somebody's, and the sequences that follow their table. */
const grounds = sql.trusted(`
  open_schema as materialized (
    select oid, nspname, nspowner
    from pg_namespace
    where nspname !~ '^pg_' and nspname not in ('catalyst', 'information_schema')
  ),
  own_sequence as materialized (
    select objid as sequence, refobjid as relation
    from pg_class
    join open_schema on open_schema.oid = relnamespace
    join pg_depend on classid = 'pg_class'::regclass and objid = pg_class.oid
    where relkind = 'S' and refclassid = 'pg_class'::regclass
      and refobjsubid > 0 and deptype in ('a', 'i')
  )`)

/** What is handed over: a schema with all in it, a relation, or what is there now and was not before. */
export type Scope =
  | { readonly schema: string }
  | { readonly relation: string }
  | { readonly since: readonly string[] }

function isChosen(scope: Scope): Statement<never> {
  if ('since' in scope) return sql`not (id = any(${[...scope.since]}::text[]))`
  return sql`relation in (select oid from family)${
    'schema' in scope ? sql` or schema = ${scope.schema}::oid` : sql``
  }`
}

const familyOf = (scope: Scope): Statement<never> => {
  if ('since' in scope) return sql`false`
  return 'schema' in scope
    ? sql`relnamespace = ${scope.schema}::oid`
    : sql`oid = ${scope.relation}::oid`
}

/**
 * The lines that hand things over to a role, in their order, so that their owners keep their rights:
 * as members of it, else by grants. To be run where names lead to the catalog only.
 */
export const handOver = (to: string, scope: Scope) => sql<HandOverRow>`
  -- One that is still to be made has no rights yet.
  with recursive heir as (
    select coalesce(pg_roles.oid, 0) as oid, wanted.rolname
    from (values (${to}::name)) as wanted (rolname)
    left join pg_roles on pg_roles.rolname = wanted.rolname
  ),
  ${grounds},
  belonging as materialized (${belonging}),
  family (oid) as (
    select oid from pg_class where ${familyOf(scope)}
    union
    select inhrelid from pg_inherits join family on inhparent = family.oid
  ),
  chosen as materialized (
    select
      belonging.*,
      former.rolname as former,
      former.rolsuper or former.rolname = current_user or (heir.oid <> 0 and pg_has_role(former.oid, heir.oid, 'USAGE')) as keeps_rights,
      former.rolbypassrls as sees_all
    from belonging
    cross join heir
    join pg_roles as former on former.oid = belonging.owner
    where belonging.owner <> heir.oid
      and not (keyword = 'schema' and name = 'public')
      and (${isChosen(scope)})
  ),
  -- What the rules of views and tables read with the rights of their owner, through other views as well.
  reads (reader, relation) as (
    select relation, relation from chosen where relation is not null
    union
    select reader, refobjid
    from reads
    join pg_rewrite on ev_class = reads.relation
    join pg_depend on classid = 'pg_rewrite'::regclass and objid = pg_rewrite.oid
    where refclassid = 'pg_class'::regclass
  ),
  beyond (reader, name) as (
    select reader, min(class.oid::regclass::text)
    from reads
    join pg_class as class on class.oid = reads.relation
    cross join heir
    where class.oid not in (select relation from chosen where relation is not null)
      and not (
        heir.oid <> 0
        and has_table_privilege(heir.oid, class.oid, 'SELECT')
        and has_schema_privilege(heir.oid, relnamespace, 'USAGE')
      )
    group by reader
  ),
  judged as materialized (
    select
      chosen.*,
      case
        when peculiarity = 'definer' then 'it runs with the rights of its owner'
        when beyond.name is not null
          then format('it reads %s, which %I may not', beyond.name, heir.rolname)
        when peculiarity is not null and not keeps_rights and not sees_all
          then format('its row security would begin to hold for %I; with "grant %I to %I" it would not',
            former, heir.rolname, former)
      end as reason
    from chosen
    cross join heir
    left join beyond on reader = chosen.relation
  ),
  handed as (
    select judged.*, case when keyword = 'schema' then 4 else 2 end as step
    from judged
    where reason is null
  ),
  line (step, object, line) as (
    select 1, ident, format('grant usage, create on schema %s to %I;', ident, heir.rolname)
    from belonging
    cross join heir
    where keyword = 'schema'
      and schema in (select schema from handed)
      and not (
        heir.oid <> 0
        and has_schema_privilege(heir.oid, schema, 'USAGE')
        and has_schema_privilege(heir.oid, schema, 'CREATE')
      )
    union all
    select step, ident, format('alter %s %s owner to %I;', keyword, ident, heir.rolname)
    from handed
    cross join heir
    union all
    select step + 1, ident,
      format('grant all on %s %s to %I;',
        case
          when keyword in ('sequence', 'schema') then keyword
          when keyword in ('type', 'domain') then 'type'
          when keyword in ('function', 'procedure', 'routine') then 'routine'
          else 'table'
        end,
        ident, former)
    from handed
    where not keeps_rights and keyword <> 'statistics'
    union all
    select 3, ident, format('grant all on sequence %s to %I;', sequence::regclass, former)
    from handed
    join own_sequence on own_sequence.relation = handed.relation
    where not keeps_rights
  )
  select object, line, reason
  from (
    select step, object, line, null as reason from line
    union all
    select 9, ident, null, reason from judged where reason is not null
  ) as told
  order by step, object, line`

/** A schema or relation that is to be handed over. */
export interface Adoptable {
  readonly target: string
  readonly schema: string
  /** Null of a schema. */
  readonly relation: string | null
  readonly is_forbidden: boolean
  /** It follows a table: an index, a sequence of a column, a composite type. */
  readonly is_part: boolean
}

/** What a name leads to: without a dot a schema, if there is one, else a relation of the schema public. */
export const findAdoptable = (name: string) => sql<Adoptable>`
  with ${grounds},
  parts as (
    select parse_ident(${name}::text) as part
  ),
  found as (
    select 1 as place, oid as schema, null::oid as relation, quote_ident(nspname) as target, nspname, false as is_part
    from pg_namespace
    join parts on cardinality(part) = 1 and nspname = part[1]
    union all
    select 2, relnamespace, class.oid, format('%I.%I', nspname, relname), nspname,
      relkind not in ('r', 'p', 'v', 'm', 'f', 'S') or exists (select from own_sequence where sequence = class.oid)
    from pg_class as class
    join pg_namespace as namespace on namespace.oid = relnamespace
    join parts on relname = part[cardinality(part)]
      and nspname = case cardinality(part) when 1 then 'public' when 2 then part[1] end
  )
  select
    target,
    schema::text as schema,
    relation::text as relation,
    nspname ~ '^pg_' or nspname in ('catalyst', 'information_schema') or exists (
      select from pg_depend
      where deptype = 'e' and classid = 'pg_class'::regclass and objid = relation
    ) as is_forbidden,
    is_part
  from found
  order by place
  limit 1`

/** The ids of all that is there, to find later what is new. */
export const listBelongings = () => sql<{ id: string }>`
  with ${grounds}
  select id from (${belonging}) as belonging`

/** What a refused statement may have been refused for. */
export interface RefusedFor {
  readonly owner: string
  /** The line that hands it over. */
  readonly owning: string
  /** The line that lets the role make things in it; null where things are not made in it. */
  readonly making: string | null
  /** The relation or schema that `migrate adopt` would hand over; null of the database. */
  readonly adoptable: string | null
}

/**
 * Which things of others a message of PostgreSQL (42501) is about. It names them without their schema and
 * in the language of the server, so what the statement names as well is believed first. To be run where
 * names lead to the catalog only.
 */
export const refusedFor = (role: string, message: string, statement: string) => sql<RefusedFor>`
  with ${grounds},
  belonging as materialized (${belonging}),
  -- What follows its table is handed over with it.
  named (called, is_part, owner, keyword, ident, schema) as (
    select name, false, owner, keyword, ident, schema from belonging
    union all
    select relname::text, true, belonging.owner, keyword, ident, schema
    from belonging
    join (
      select indexrelid, indrelid from pg_index
      union all
      select sequence, own_sequence.relation from own_sequence
    ) as part (oid, of) on of = belonging.relation
    join pg_class as class on class.oid = part.oid
    union all
    select datname::text, false, datdba, 'database', quote_ident(datname), null
    from pg_database
    where datname = current_database()
  ),
  found as (
    select
      rolname as owner,
      keyword,
      ident,
      quote_ident(nspname) as schema,
      rank() over (
        order by
          said ~ concat(keyword, ' ', called, '$') desc,
          written ~ concat('(^|\\W)', nspname, '"?\\s*\\.\\s*"?', called, '"?($|\\W)') desc,
          nspname = 'public' desc,
          length(called) desc
      ) as place
    from (
      select named.*, nspname, rolname
      from named
      left join pg_namespace as namespace on namespace.oid = schema
      join pg_roles on pg_roles.oid = owner
      where not pg_has_role(${role}::name, owner, 'USAGE')
    ) as other (name, is_part, owner, keyword, ident, schema, namespace, rolname)
    cross join lateral (
      select
        regexp_replace(translate(namespace, '"', ''), '(\\W)', '\\\\\\1', 'g'),
        regexp_replace(translate(name, '"', ''), '(\\W)', '\\\\\\1', 'g')
    ) as literal (nspname, called)
    cross join (
      values (translate(${message}::text, '"', ''), replace(${statement}::text, '""', ''))
    ) as given (said, written)
    where said ~ concat('(^|\\W)', called, '($|\\W)')
      and (
        is_part
        or said ~ concat(keyword, ' ', called, '$')
        or said !~ concat('(table|view|sequence|schema|function|database) ', called, '$')
      )
  )
  select distinct
    owner,
    format('alter %s %s owner to %I;', keyword, ident, ${role}::name) as owning,
    case keyword
      when 'schema' then format('grant usage, create on schema %s to %I;', ident, ${role}::name)
      when 'database' then format('grant create, temporary on database %s to %I;', ident, ${role}::name)
    end as making,
    case
      when keyword in ('table', 'view', 'materialized view', 'sequence', 'foreign table') then ident
      else schema
    end as adoptable
  from found
  where place = 1
  order by owning
  limit 5`
