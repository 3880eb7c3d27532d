import { type Statement, sql } from '../../../platform/postgres/sql.js'

/** A value of the log: its text, or null. */
export type Value = string | null

/** A table with the names of its columns and the types of its casts. */
export interface Target {
  readonly schema: string
  readonly name: string
  /** By column; put together by PostgreSQL, so it is no outsider's text. */
  readonly types: ReadonlyMap<string, string>
}

const table = ({ schema, name }: Target) => sql`${sql.id(schema)}.${sql.id(name)}`

const list = (parts: readonly Statement<never>[], between: string): Statement<never> => {
  const [first = sql``, ...others] = parts
  return others.reduce((all, one) => sql`${all}${sql.trusted(between)}${one}`, first)
}

const typeOf = ({ types }: Target, column: string) => {
  const type = types.get(column)
  if (type === undefined) throw new Error('a column that is not there')
  return sql.trusted(type)
}

/** Takes rows in COPY's text format. */
export const copyInto = (target: Target, columns: readonly string[]) =>
  columns.length === 0
    ? sql<never>`copy ${table(target)} from stdin`
    : sql<never>`copy ${table(target)} (${list(
        columns.map((column) => sql`${sql.id(column)}`),
        ', ',
      )}) from stdin`

/** The values of many rows, column by column, as a table `v` with columns `c0`, `c1` and so on. */
function valuesOf(columns: readonly (readonly Value[])[]) {
  const arrays = columns.map((values) => sql`${values}::text[]`)
  const names = columns.map((_, at) => sql`${sql.id(`c${at}`)}`)
  return sql`unnest(${list(arrays, ', ')}) as v (${list(names, ', ')})`
}

const cast = (target: Target, column: string, at: number) =>
  sql`v.${sql.id(`c${at}`)}::${typeOf(target, column)}`

/** Changes many rows, told by their key; none twice. Values come column by column: the key, then the others. */
export const updateMany = (
  target: Target,
  keys: readonly string[],
  columns: readonly string[],
  values: readonly (readonly Value[])[],
) => sql<never>`
  update only ${table(target)} as t
  set ${list(
    columns.map((column, at) => sql`${sql.id(column)} = ${cast(target, column, keys.length + at)}`),
    ', ',
  )}
  from ${valuesOf(values)}
  where ${list(
    keys.map((column, at) => sql`t.${sql.id(column)} = ${cast(target, column, at)}`),
    ' and ',
  )}`

/** Deletes many rows, told by their key. */
export const deleteMany = (
  target: Target,
  keys: readonly string[],
  values: readonly (readonly Value[])[],
) => sql<never>`
  delete from only ${table(target)} as t
  using ${valuesOf(values)}
  where ${list(
    keys.map((column, at) => sql`t.${sql.id(column)} = ${cast(target, column, at)}`),
    ' and ',
  )}`

/** How one row is found: by its key, or, where nothing tells it apart from its equals, as one of them. */
function found(target: Target, by: readonly (readonly [string, Value])[], isKey: boolean) {
  if (isKey) {
    return list(
      by.map(([column, value]) => sql`${sql.id(column)} = ${value}::${typeOf(target, column)}`),
      ' and ',
    )
  }
  // As text: some types have no equality, and others call values equal that are not written alike.
  const equal = by.map(
    ([column, value]) =>
      sql`${sql.id(column)}::text is not distinct from ${value}::${typeOf(target, column)}::text`,
  )
  return sql`ctid = (select ctid from only ${table(target)} where ${list(equal, ' and ')} limit 1)`
}

/** Changes one row. */
export const updateOne = (
  target: Target,
  by: readonly (readonly [string, Value])[],
  isKey: boolean,
  set: readonly (readonly [string, Value])[],
) => sql<never>`
  update only ${table(target)}
  set ${list(
    set.map(([column, value]) => sql`${sql.id(column)} = ${value}::${typeOf(target, column)}`),
    ', ',
  )}
  where ${found(target, by, isKey)}`

/** Deletes one row. */
export const deleteOne = (
  target: Target,
  by: readonly (readonly [string, Value])[],
  isKey: boolean,
) => sql<never>`delete from only ${table(target)} where ${found(target, by, isKey)}`

/** Empties tables. */
export const truncate = (targets: readonly Target[]) => sql<never>`
  truncate only ${list(targets.map(table), ', ')} continue identity`
