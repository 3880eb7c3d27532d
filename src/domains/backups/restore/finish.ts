import { AppError } from '../../../errors.js'
import type { DirectSession } from '../../../platform/postgres/direct.js'
import { sqlState } from '../../../platform/postgres/errors.js'
import { parseScript } from '../../../platform/sql-parser/parse-script.js'
import type { Body } from '../../../platform/sql-parser/syntax.js'
import type { Catalog } from '../full/catalog.js'
import { type SequenceRow, sequences } from '../full/catalog.sql.js'
import {
  dropTable,
  furthest,
  materializedViews,
  refresh,
  setSequence,
  tableNames,
} from './finish.sql.js'

/** SQLSTATEs of a role or an extension's function that is not there, and of rights that may not be given. */
const NOT_HERE = new Set(['42704', '42501', '0LP01', '42883', '42P01'])
/** And of an extension that is not installed where PostgreSQL runs. */
const NOT_INSTALLED = new Set(['42501', '0A000', '58P01', '22023', '42704'])

const stateOf = (error: unknown): string => sqlState(error) ?? sqlState(Object(error).cause) ?? ''

/** Runs a statement inside of a transaction, which goes on when it fails in one of these ways. */
async function tolerated(
  session: DirectSession,
  statement: string,
  states: ReadonlySet<string>,
): Promise<boolean> {
  await session.command('savepoint tolerated')
  try {
    await session.command(statement)
    await session.command('release savepoint tolerated')
    return true
  } catch (error) {
    if (!states.has(stateOf(error))) throw error
    await session.command('rollback to savepoint tolerated')
    await session.command('release savepoint tolerated')
    return false
  }
}

/** Makes the extensions that can be made; those that cannot are told. */
export async function makeExtensions(
  session: DirectSession,
  statements: readonly string[],
  warn: (sentence: string) => void,
): Promise<void> {
  await session.command('begin')
  for (const statement of statements) {
    if (await tolerated(session, statement, NOT_INSTALLED)) continue
    const [, name] =
      /^create extension (?:if not exists )?("(?:[^"]|"")+"|\S+)/i.exec(statement) ?? []
    if (name) warn(`The extension ${name} could not be made here: have a superuser make it.`)
  }
  await session.command('commit')
}

/** Gives everything to whom it belonged, as far as those are here. */
export async function restoreRights(
  session: DirectSession,
  statements: readonly string[],
  warn: (sentence: string) => void,
): Promise<void> {
  if (statements.length === 0) return
  if (await tolerated(session, statements.join(';\n'), NOT_HERE)) return
  let failed = 0
  for (const statement of statements) {
    if (!(await tolerated(session, statement, NOT_HERE))) failed++
  }
  if (failed > 0) {
    warn(
      `${failed} of ${statements.length} owners and grants could not be restored: a role or an extension is not here, or the role of this server may not act for it.`,
    )
  }
}

/** A foreign key between two tables, as one of a statement's. */
export interface ForeignKey {
  readonly name: string
  readonly table: string
  readonly references: string
}

/** The foreign key that a statement adds; null when it adds none. */
export async function foreignKeyOf(statement: string): Promise<ForeignKey | null> {
  if (!/foreign key/i.test(statement)) return null
  const [parsed] = await parseScript(statement)
  if (parsed?.kind !== 'AlterTableStmt') return null
  const { relation, cmds = [] } = parsed.node as Body<'AlterTableStmt'>
  for (const one of cmds) {
    const command = (one as { AlterTableCmd?: Body<'AlterTableCmd'> }).AlterTableCmd
    const constraint = (command?.def as { Constraint?: Body<'Constraint'> } | undefined)?.Constraint
    if (constraint?.contype !== 'CONSTR_FOREIGN') continue
    const { schemaname = 'public', relname = '' } = constraint.pktable ?? {}
    return {
      name: constraint.conname ?? '',
      table: `${relation?.schemaname ?? 'public'}.${relation?.relname ?? ''}`,
      references: `${schemaname}.${relname}`,
    }
  }
  return null
}

/** What sequences gave out, by their quoted names. */
type Values = Readonly<Record<string, string>>

/**
 * Sets every sequence beyond what it may have given out before that moment: a value is never given out again,
 * but some may be left out.
 */
export async function setSequences(
  session: DirectSession,
  catalog: Catalog,
  known: readonly Values[],
): Promise<void> {
  const stored = new Map(
    catalog.sequences.map(({ schema, name, last_value }) => [`${schema}\0${name}`, last_value]),
  )
  for (const sequence of await session.many(sequences())) {
    const { schema, name, quoted, owner } = sequence
    const inColumn = owner ? await session.many(furthest(sequence)) : []
    const values = [
      stored.get(`${schema}\0${name}`),
      ...known.map((values) => values[quoted]),
      inColumn[0]?.value,
    ].filter((value) => value !== null && value !== undefined)
    const value = furthestOf(values, sequence)
    if (value !== null) await session.many(setSequence(sequence, value))
  }
}

function furthestOf(values: readonly string[], { increment_by }: SequenceRow): string | null {
  const [first, ...others] = values.map(BigInt)
  if (first === undefined) return null
  const isFurther = (a: bigint, b: bigint) => (increment_by.startsWith('-') ? a < b : a > b)
  return String(others.reduce((best, one) => (isFurther(one, best) ? one : best), first))
}

/** Computes what is kept of queries. */
export async function refreshViews(
  session: DirectSession,
  warn: (sentence: string) => void,
): Promise<void> {
  for (const view of await session.many(materializedViews())) {
    try {
      await session.many(refresh(view))
    } catch (error) {
      if (!stateOf(error)) throw error
      warn(`The materialized view ${view.schema}.${view.name} could not be computed.`)
    }
  }
}

/** Drops every table that was not asked for; partitioned ones stay with their partitions. */
export async function keepOnly(
  session: DirectSession,
  keeps: (schema: string, name: string) => boolean,
): Promise<void> {
  const tables = await session.many(tableNames())
  const others = tables.filter(({ schema, name }) => !keeps(schema, name))
  await session.command('begin')
  for (const table of others) await session.many(dropTable(table))
  await session.command('commit')
}

/** The names of the tables of a database. */
export const namesOfTables = async (session: DirectSession) =>
  (await session.many(tableNames())).filter(({ is_partitioned }) => !is_partitioned)

/** What a constraint refused at the end. */
export function notFinished(error: unknown): unknown {
  const state = stateOf(error)
  if (!/^(23|42|2F|P0)/.test(state)) return error
  const constraint =
    Reflect.get(Object(error), 'constraint') ??
    Reflect.get(Object(Object(error).cause), 'constraint')
  const named = typeof constraint === 'string' ? ` (constraint ${constraint})` : ''
  return new AppError('integrity_violation', `The restored rows do not fit the schema${named}.`, {
    hint: 'Nothing was changed. Verify the backup; the log of this server has what PostgreSQL said.',
    cause: error,
  })
}
