import { AppError } from '../../../errors.js'
import { instantOf, microsecondsOf } from '../../../lib/microseconds.js'
import type { Endpoint } from '../../../platform/postgres/connection.js'
import { DirectSession } from '../../../platform/postgres/direct.js'
import { type LoggedRow, UNCHANGED } from '../../../platform/postgres/replication/pgoutput.js'
import { type Statement, sql } from '../../../platform/postgres/sql.js'
import type { Source } from '../restore/load.js'
import { fieldsOf, KeyMatcher, type RowKey } from './key.js'
import {
  baseFor,
  changesOf,
  isOf,
  type PastBase,
  segmentsTo,
  storedRows,
  type TableName,
} from './log-of-table.js'

export interface RowQuery {
  readonly table: TableName
  readonly key: RowKey
  /** ISO 8601 with a zone. */
  readonly at: string
}

type Fields = Record<string, string | null>

/** What the log says of the row. */
interface Told {
  /** Null: it is gone; undefined: the log does not speak of it. */
  readonly fields: Fields | null | undefined
  /** Large values that the log does not repeat: as they were before. */
  readonly missing: readonly string[]
  readonly changedUs: number | null
}

/**
 * A row as it stood at an instant: from the log since the full backup before it, and from that where the log does
 * not speak of it. PostgreSQL is only asked to read the values of that backup, in a temporary table.
 *
 * @throws AppError `precondition_failed` outside of what is kept, `not_found` for a table that was not there
 */
export async function rowAt(source: Source, endpoint: Endpoint, { table, key, at }: RowQuery) {
  const us = microsecondsOf(at)
  const base = await baseFor(source, us)
  const told = await readLog(source, base, { table, key, us })
  const needsBase = told.fields === undefined || (told.fields !== null && told.missing.length > 0)
  const stored = needsBase ? await readBase(source, endpoint, base, { table, key }) : null
  const filled = Object.fromEntries(
    told.missing.flatMap((name) =>
      stored && name in stored ? [[name, stored[name] ?? null]] : [],
    ),
  )
  const row =
    told.fields === undefined ? stored : told.fields === null ? null : { ...filled, ...told.fields }
  return {
    row,
    changed_at: told.changedUs === null ? null : instantOf(told.changedUs),
    from_backup: base.full.backup_id,
  }
}

async function readLog(
  source: Source,
  base: PastBase,
  { table, key, us }: { readonly table: TableName; readonly key: RowKey; readonly us: number },
): Promise<Told> {
  const segments = await segmentsTo(source.archive, base.full, us)
  const matchers = new Map<unknown, KeyMatcher>()
  let told: Told = { fields: undefined, missing: [], changedUs: null }
  let isKnown = base.catalog.tables.some((one) => isOf(one, table))
  for await (const { relation, message, us: at } of changesOf(source, table, {
    base,
    segments,
    untilUs: us,
  })) {
    isKnown = true
    const matcher = matchers.get(relation) ?? new KeyMatcher(relation, key)
    matchers.set(relation, matcher)
    const become = (row: LoggedRow): void => {
      const before = told.fields ?? {}
      const open = relation.columns.flatMap(({ name }, column) =>
        row[column] === UNCHANGED ? [name] : [],
      )
      const kept = Object.fromEntries(
        open.flatMap((name) => (name in before ? [[name, before[name] ?? null]] : [])),
      )
      const missing = open.filter((name) => !(name in before))
      told = { fields: { ...kept, ...fieldsOf(relation, row) }, missing, changedUs: at }
    }
    if (message.kind === 'truncate') {
      told = { fields: null, missing: [], changedUs: at }
      continue
    }
    if (message.kind === 'insert') {
      if (matcher.matches(message.new)) become(message.new)
      continue
    }
    const wasIt = message.old ? matcher.matches(message.old.row) : null
    if (message.kind === 'delete') {
      if (wasIt) told = { fields: null, missing: [], changedUs: at }
      continue
    }
    const isIt = matcher.matches(message.new)
    if (isIt) become(message.new)
    else if (wasIt) told = { fields: null, missing: [], changedUs: at }
  }
  if (!isKnown) throw noTable(table)
  return told
}

/** Whoever of PostgreSQL's own types reads a value knows it best: it picks the row out of what was stored. */
async function readBase(
  source: Source,
  endpoint: Endpoint,
  base: PastBase,
  { table, key }: Pick<RowQuery, 'table' | 'key'>,
): Promise<Fields | null> {
  return DirectSession.use(
    endpoint,
    async (session) => {
      for await (const { oid, columns, format, bytes } of storedRows(source, base, table)) {
        const types = await session.many(typesOf(oid, table, columns))
        const lacking = Object.keys(key).filter((name) => !columns.includes(name))
        if (lacking.length > 0) throw noColumn(lacking)
        await session.many(sql`begin`)
        await session.many(temporary(types))
        for (const [at, value] of Object.values(key).entries()) {
          await session.many(
            sql`select set_config(${`cdb.key_${at}`}::text, ${String(value)}::text, true)`,
          )
        }
        await session.copyIn(pick(types, Object.keys(key), format), bytes, source.signal)
        const rows = await session.many(asText(types))
        await session.many(sql`rollback`)
        const [row] = rows
        if (row) return row.fields
      }
      return null
    },
    { name: 'catalyst-db backup' },
  )
}

interface ColumnType {
  readonly name: string
  /** Of the column as it is now; bytes where there is none any more, which are not told. */
  readonly type: string
  readonly is_known: boolean
}

const typesOf = (
  oid: number,
  { schema, name }: TableName,
  columns: readonly string[],
) => sql<ColumnType>`
  select
    given.name,
    coalesce(format_type(atttypid, atttypmod), 'bytea') as type,
    atttypid is not null as is_known
  from unnest(${columns}::text[]) with ordinality as given (name, place)
  left join pg_attribute
    on attrelid = coalesce(
      (select class.oid from pg_class as class where class.oid = ${oid}::int8::oid),
      to_regclass(format('%I.%I', ${schema}::text, ${name}::text))
    )
    and attname = given.name
    and not attisdropped
  order by place`

const list = (parts: readonly Statement<never>[]): Statement<never> =>
  parts.slice(1).reduce((all, one) => sql`${all}, ${one}`, parts[0] ?? sql``)

const temporary = (types: readonly ColumnType[]) => {
  // A type comes from format_type, which quotes what is in it.
  const columns = types.map(({ name, type }) => sql`${sql.id(name)} ${sql.trusted(type)}`)
  return sql`create temporary table past_row (${list(columns)}) on commit drop`
}

const pick = (
  types: readonly ColumnType[],
  keys: readonly string[],
  format: 'binary' | 'text',
): Statement<never> => {
  const typeOf = (key: string) =>
    sql.trusted(types.find(({ name }) => name === key)?.type ?? 'text')
  const conditions = keys.map(
    (key, at) =>
      sql`past_row.${sql.id(key)} = current_setting(${sql.trusted(`'cdb.key_${at}'`)})::${typeOf(key)}`,
  )
  const all = conditions
    .slice(1)
    .reduce((some, one) => sql`${some} and ${one}`, conditions[0] ?? sql`true`)
  return sql`copy past_row from stdin (format ${sql.trusted(format)}) where ${all}`
}

const asText = (types: readonly ColumnType[]) => {
  const fields = types
    .filter(({ is_known }) => is_known)
    .map(({ name }) => sql`${name}::text, ${sql.id(name)}::text`)
  return sql<{ fields: Fields }>`select json_build_object(${list(fields)}) as fields from past_row`
}

const noTable = ({ schema, name }: TableName): AppError =>
  new AppError('not_found', `There was no table ${schema}.${name} with rows that the log tells.`, {
    hint: 'Give schema.table as it was called then.',
  })

const noColumn = (columns: readonly string[]): AppError =>
  new AppError('invalid_input', `key: the table had no column ${columns.join(', ')}.`, {
    hint: 'Give the columns of its primary key.',
  })
