import { groupBy } from '../../lib/group-by.js'
import type { ReaderSession } from '../../platform/postgres/reader/reader-session.js'
import { Refusal } from '../../platform/sql-parser/read-only/refusal.js'
import { type FunctionUse, shownName, type Uses } from '../../platform/sql-parser/read-only/uses.js'
import {
  forbiddenOperators,
  type KnownFunction,
  knownFunctions,
  operatorFunctions,
  signaturesOf,
} from './catalog.sql.js'

/** What PostgreSQL's own schema holds: it changes with the release only. */
export interface FunctionCatalog {
  readonly functions: ReadonlyMap<string, readonly KnownFunction[]>
  readonly operators: ReadonlySet<string>
  /** By oid: also what the views of information_schema call. */
  readonly allowed: ReadonlySet<number>
}

/** Reads what queries of this server may call. */
export async function readCatalog(session: ReaderSession): Promise<FunctionCatalog> {
  const known = await session.many(knownFunctions())
  const callable = known.filter(({ is_catalog }) => is_catalog)
  const operators = await session.many(forbiddenOperators())
  return {
    functions: groupBy(callable, ({ name }) => name),
    operators: new Set(operators.map(({ name }) => name)),
    allowed: new Set(
      known.flatMap(({ oid, is_allowed, is_catalog }) => (is_allowed || !is_catalog ? [oid] : [])),
    ),
  }
}

const POLICY = 'query.allow_functions'

/**
 * Refuses every call that could be one of a function that is not allowed. Which of several functions of a
 * name PostgreSQL takes depends on types, so all that take as many arguments must be.
 *
 * @param allowed further functions, by their signatures
 * @throws Refusal
 */
export async function judgeCalls(
  session: ReaderSession,
  { functions, operators }: FunctionCatalog,
  uses: Uses,
  allowed: readonly string[],
): Promise<void> {
  for (const call of uses.functions) {
    const [name = '', schema = null, ...more] = call.name.toReversed()
    if (more.length > 0) throw refused(shownName(call.name), 'is named with its database')
    const known = schema === null || schema === 'pg_catalog' ? functions.get(name) : undefined
    const possible = known?.filter((one) => fits(one, call)) ?? []
    if (possible.some(({ is_allowed }) => !is_allowed)) throw forbidden(name)
    if (possible.length === 0 && schema !== 'pg_catalog') {
      await judgeForeign(session, name, schema, allowed)
    }
  }
  for (const name of uses.fields) {
    const calls = functions
      .get(name)
      ?.filter((one) => fits(one, { name: [name], args: 1, isVariadic: false }))
    if (calls?.some(({ is_allowed }) => !is_allowed)) throw forbidden(name)
  }
  for (const operator of uses.operators) await judgeOperator(session, operator, operators, allowed)
}

/** A list of arguments may be any number of them. */
const fits = ({ least, most }: KnownFunction, { args, isVariadic }: FunctionUse): boolean =>
  isVariadic ? args >= least && (most >= args || most > 100) : args >= least && args <= most

/** A function that is not PostgreSQL's own; one that nobody has is left to PostgreSQL to say so. */
async function judgeForeign(
  session: ReaderSession,
  name: string,
  schema: string | null,
  allowed: readonly string[],
): Promise<void> {
  const found = (await session.many(signaturesOf(name, schema))).map(({ signature }) => signature)
  const others = found.filter((signature) => !allowed.includes(signature))
  if (others.length === 0 && (schema !== null || found.length === 0)) return
  if (others.length === 0) {
    throw new Refusal(
      'function',
      `${shownName([name])} is written without its schema`,
      `Write ${found[0]}.`,
    )
  }
  throw new Refusal(
    'function',
    `${others[0]} is not one of PostgreSQL's own functions`,
    `Write it with what PostgreSQL brings, or let an operator add "${others[0]}" to ${POLICY} of the policy file.`,
  )
}

async function judgeOperator(
  session: ReaderSession,
  parts: readonly string[],
  forbiddenOnes: ReadonlySet<string>,
  allowed: readonly string[],
): Promise<void> {
  const [name = '', schema = 'pg_catalog'] = parts.toReversed()
  if (schema === 'pg_catalog') {
    if (forbiddenOnes.has(name))
      throw new Refusal('operator', `the operator ${name} is not allowed`, 'Write it otherwise.')
    return
  }
  const found = await session.many(operatorFunctions(schema, name))
  const other = found.find(({ signature }) => !allowed.includes(signature))
  if (!other) return
  throw new Refusal(
    'operator',
    `the operator ${shownName([schema])}.${name} calls ${other.signature}, which is not one of PostgreSQL's own functions`,
    `Let an operator add "${other.signature}" to ${POLICY} of the policy file.`,
  )
}

const refused = (what: string, why: string): Refusal =>
  new Refusal('function', `the function ${what} ${why}`, 'Write its plain name.')

const forbidden = (name: string): Refusal =>
  new Refusal(
    'function',
    `${shownName([name])} does more than compute: it may write, wait, reach files, settings or other sessions, or run SQL that comes as text`,
    'Leave it out; read_resource tells of health, connections and locks.',
  )
