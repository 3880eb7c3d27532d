import type { TestDatabase } from '../support/database.js'

/**
 * Everything the catalog knows of a schema, as text that can be compared; the runner's own tables are
 * left out.
 */
export async function catalogOf(database: Pick<TestDatabase, 'query'>, schema: string) {
  const [row] = await database.query<{ text: string | null }>(
    `
    select string_agg(line, e'\\n' order by line) as text
    from (
      select format('column %s %s %s %s %s %s', c.relname, c.relkind, a.attname,
                    format_type(a.atttypid, a.atttypmod), a.attnotnull,
                    pg_get_expr(d.adbin, d.adrelid)) as line
      from pg_class as c
      join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      left join pg_attrdef as d on d.adrelid = c.oid and d.adnum = a.attnum
      where c.relnamespace = to_regnamespace($1) and c.relname not like 'schema_migration%'
      union all
      select format('constraint %s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
      from pg_constraint
      where connamespace = to_regnamespace($1) and conrelid::regclass::text not like '%schema_migration%'
      union all
      select pg_get_functiondef(oid) from pg_proc
      where pronamespace = to_regnamespace($1) and prokind = 'f' and proname not like 'schema_migration%'
      union all
      select indexdef from pg_indexes
      where schemaname = $1 and tablename not like 'schema_migration%'
      union all
      select pg_get_triggerdef(t.oid) from pg_trigger as t join pg_class as c on c.oid = t.tgrelid
      where c.relnamespace = to_regnamespace($1) and not tgisinternal
        and c.relname not like 'schema_migration%'
      union all
      select format('comment %s %s', objoid::regclass, description) from pg_description
      where classoid = 'pg_class'::regclass and objoid in (
        select oid from pg_class where relnamespace = to_regnamespace($1))
      union all
      select format('storage %s %s', relname, reloptions) from pg_class
      where relnamespace = to_regnamespace($1) and reloptions is not null
    ) as lines`,
    [schema],
  )
  return row?.text ?? ''
}
