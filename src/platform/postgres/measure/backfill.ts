import type { DirectSession } from '../direct.js'
import { sql } from '../sql.js'
import type { Catalog } from './catalog-diff.js'

/** What an UPDATE sets. */
export interface Filling {
  readonly schema: string
  readonly table: string
  readonly columns: readonly string[]
}

/** An UPDATE that may have filled nothing but empty columns. */
export interface Backfill {
  /** Values of each of its columns that were there before the transaction. */
  count(): Promise<readonly number[]>
  /** Whether every row that was overwritten had nothing in the columns that were set. */
  onlyFilled(run: {
    readonly rows: number
    readonly written: ReadonlyMap<string, number>
    readonly filled: readonly number[]
  }): Promise<boolean>
}

interface Target {
  readonly name: string
  /** Triggers and rules may write more than the statement says. */
  readonly is_plain: boolean
  readonly columns: readonly { readonly key: string; readonly name: string }[]
  readonly tables: readonly string[]
}

/**
 * To be called while only the catalog's names are found. Looks at an UPDATE of a plain table. Overwriting is no loss where there was nothing: columns that the
 * transaction has added, and rows whose old column was null. The latter is seen by counting: if n rows
 * were overwritten and the column has n values more, each of them was null before.
 */
export async function backfillOf(
  session: DirectSession,
  { schema, table, columns }: Filling,
  catalog: Catalog,
): Promise<Backfill | null> {
  const [target] = await session.many(findTarget(schema, table, columns))
  if (!target?.is_plain || target.columns.length !== columns.length) return null
  const old = target.columns.filter(({ key }) => catalog.has(`column:${key}`))
  const count = async () => {
    if (old.length === 0) return []
    const counted = await session.many(
      countValues(
        target.name,
        old.map(({ name }) => name),
      ),
    )
    return (counted[0]?.counts ?? []).map(Number)
  }
  return {
    count,
    onlyFilled: async ({ rows, written, filled }) => {
      const elsewhere = [...written.keys()].some((oid) => !target.tables.includes(oid))
      const total = [...written.values()].reduce((sum, one) => sum + one, 0)
      if (elsewhere || total !== rows) return false
      const now = await count()
      return now.every((values, at) => values - (filled[at] ?? 0) === rows)
    },
  }
}

const findTarget = (schema: string, table: string, columns: readonly string[]) => sql<Target>`
  with tree as (
    select class.oid
    from pg_class as class
    join pg_namespace as namespace on namespace.oid = relnamespace
    where nspname = ${schema}::name and relname = ${table}::name
    union
    select relid::oid
    from pg_class as class
    join pg_namespace as namespace on namespace.oid = relnamespace
    cross join pg_partition_tree(class.oid::regclass)
    where nspname = ${schema}::name and relname = ${table}::name
  )
  select
    format('%I.%I', nspname, relname) as name,
    relkind in ('r', 'p')
      and not relforcerowsecurity
      and not exists (
        select from pg_trigger where tgrelid in (select oid from tree) and not tgisinternal
      )
      and not exists (select from pg_rewrite where ev_class = class.oid) as is_plain,
    array(select oid::text from tree) as tables,
    array(
      select jsonb_build_object('key', concat(attrelid, '.', attnum), 'name', quote_ident(attname))
      from pg_attribute
      where attrelid = class.oid
        and attname::text = any (${columns}::text[])
        and not attisdropped
    ) as columns
  from pg_class as class
  join pg_namespace as namespace on namespace.oid = relnamespace
  where nspname = ${schema}::name and relname = ${table}::name`

/** The server quoted the names. */
const countValues = (relation: string, columns: readonly string[]) => {
  const counts = columns.map((column) => `count(${column})`).join(', ')
  return sql<{ counts: string[] }>`
    select array[${sql.trusted(counts)}]::text[] as counts
    from ${sql.trusted(relation)}`
}
