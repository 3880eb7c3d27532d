import { AppError } from '../../errors.js'
import type { Caller } from '../../lib/caller.js'
import { sqlState } from '../../platform/postgres/errors.js'
import {
  type ExactValue,
  exactValue,
  parameterText,
  type TypeFacts,
} from '../../platform/postgres/reader/exact-values.js'
import type { Column } from '../../platform/postgres/reader/portal.js'
import type { Reader } from '../../platform/postgres/reader/reader-login.js'
import type { ReaderPool } from '../../platform/postgres/reader/reader-pool.js'
import type { ReaderSession } from '../../platform/postgres/reader/reader-session.js'
import {
  fingerprintOf,
  QualifiedText,
  type ReadQuery,
  readQuery,
} from '../../platform/sql-parser/read-only/read-query.js'
import { Refusal } from '../../platform/sql-parser/read-only/refusal.js'
import type { NameUse } from '../../platform/sql-parser/read-only/uses.js'
import {
  type Behind,
  behindRelations,
  behindTypes,
  type CodeBehind,
  findNames,
  typeFacts,
} from './catalog.sql.js'
import { type FunctionCatalog, judgeCalls, readCatalog } from './function-catalog.js'
import { judgeCode, judgeRelations } from './relation-rules.js'
import { PATH, type SchemaReader } from './schema.service.js'
import { whileReading, whileRunning } from './statement-errors.js'

/** What rows of one answer may come to. */
const MAX_ANSWER_BYTES = 256_000

/** Databases that were restored beside this one. */
interface SideDatabases {
  /**
   * The name of the database.
   *
   * @throws AppError `not_found`
   */
  databaseOf(restoreId: string): Promise<string>
}

interface QueryDeps {
  readonly pool: ReaderPool
  readonly sideDatabases: SideDatabases
  /** Functions beside PostgreSQL's own that queries may call, by their signatures. */
  readonly allowed: readonly string[]
  readonly schema: SchemaReader
}

/** One statement to look at. */
export interface Asked {
  readonly sql: string
  readonly params: readonly unknown[]
  readonly restoreId: string | null
  /** What has parameters and is given none is planned for any values. */
  readonly mayLackParams?: boolean
}

/** A statement that was judged and parsed, inside a transaction that cannot write. */
export interface Judged {
  readonly session: ReaderSession
  readonly reader: Reader
  readonly query: ReadQuery
  readonly sent: QualifiedText
  readonly columns: readonly Column[]
  readonly values: readonly (string | null)[]
  /** The relations it comes to. */
  readonly relations: Behind['relations']
}

/** The door for SQL that only reads: nothing gets through that could do anything else. */
export class QueryService {
  readonly #deps: QueryDeps
  #catalog: Promise<FunctionCatalog> | null = null
  readonly #types = new Map<string, TypeFacts>()

  constructor(deps: QueryDeps) {
    this.#deps = deps
  }

  /** Which tables there are. */
  get schema(): SchemaReader {
    return this.#deps.schema
  }

  /** Runs one statement and answers its rows, exact. */
  async query(asked: Asked & { readonly limit: number }, caller: Caller) {
    const started = performance.now()
    return this.judged(asked, caller, async ({ session, columns, values, reader }) => {
      const limits = { rows: asked.limit, bytes: MAX_ANSWER_BYTES }
      // Another database has other types of its own.
      const types = asked.restoreId === null ? this.#types : new Map<string, TypeFacts>()
      const told = await toldOf(session, columns, types)
      const found = await this.running(() => session.run(values, limits, caller.signal))
      return {
        columns: told.columns,
        rows: found.rows.map((row) => told.exact(row)),
        row_count: found.rows.length,
        truncated: found.isCut,
        duration_ms: Math.round((performance.now() - started) * 10) / 10,
        warning: reader.warning,
      }
    })
  }

  /**
   * Judges one statement by its text, its names and the code behind them, and lets `work` use it; nothing of
   * it has run. What is refused is noted for the audit.
   *
   * @throws Refusal, AppError
   */
  async judged<T>(asked: Asked, caller: Caller, work: (judged: Judged) => Promise<T>): Promise<T> {
    try {
      return await this.#judged(asked, caller, work)
    } catch (error) {
      if (error instanceof Refusal && caller.record) {
        const { rule } = error
        caller.record.refusal = { rule, fingerprint: await fingerprintOf(asked.sql) }
      }
      throw error
    }
  }

  /** What goes wrong while a judged statement is planned or run is told without the server's text. */
  running<T>(work: () => Promise<T>): Promise<T> {
    return work().catch((error: unknown) => {
      throw whileRunning(error)
    })
  }

  close(): void {
    this.#deps.pool.close()
  }

  async #judged<T>(
    { sql: text, params, restoreId, mayLackParams = false }: Asked,
    caller: Caller,
    work: (judged: Judged) => Promise<T>,
  ): Promise<T> {
    const { signal } = caller
    const values = params.map(parameterText)
    const query = await readQuery(text, values, signal)
    const isOpen = mayLackParams && values.length === 0
    if (!isOpen && query.uses.parameters !== values.length) throw parameters(query, values.length)
    const { pool, sideDatabases } = this.#deps
    const database = restoreId === null ? null : await sideDatabases.databaseOf(restoreId)
    const attempt = (isRepeat: boolean): Promise<T | typeof WITHHELD> =>
      pool.use(database, signal, async (session, reader) => {
        const found = await this.#enter(session, query, values, signal).catch((error: unknown) => {
          if (!isRepeat && reader.isOurs && isNotGranted(error)) return null
          throw error
        })
        if (found === null) return WITHHELD
        return work({ ...found, session, reader, values })
      })
    const first = await attempt(false)
    if (first !== WITHHELD) return first as T
    // It may be new: what the product owns, the reader may read.
    await pool.letRead(database)
    return (await attempt(true)) as T
  }

  /** From the text to a statement that the server has parsed and that may run. */
  async #enter(
    session: ReaderSession,
    query: ReadQuery,
    values: readonly (string | null)[],
    signal: AbortSignal,
  ): Promise<Omit<Judged, 'session' | 'reader' | 'values'>> {
    this.#catalog ??= readCatalog(session)
    const catalog = await this.#catalog.catch((error: unknown) => {
      this.#catalog = null
      throw error
    })
    const sent = await qualify(session, query)
    // What is judged is what is sent.
    const read = sent.text === query.text ? query : await readQuery(sent.text, values, signal)
    await judgeCalls(session, catalog, read.uses, this.#deps.allowed)
    const columns = await session.prepare(sent.text).catch((error: unknown) => {
      throw whileReading(error, sent)
    })
    const relations = await this.#behind(session, read, catalog)
    const withheld = relations.find(({ is_named, is_readable }) => is_named && !is_readable)
    if (withheld) throw notGranted(withheld)
    return { query: read, sent, columns, relations }
  }

  async #behind(
    session: ReaderSession,
    { uses }: ReadQuery,
    { allowed }: FunctionCatalog,
  ): Promise<Behind['relations']> {
    const types = uses.types.filter(({ schema }) => schema !== null && schema !== 'pg_catalog')
    const makesRows = uses.functions.some(({ name }) => MAKES_ROWS.test(name.at(-1) ?? ''))
    const code: CodeBehind[] = []
    let relations: Behind['relations'] = []
    if (uses.relations.length > 0) {
      const [found] = await session.many(behindRelations(uses.relations))
      relations = found?.relations ?? []
      code.push(...(found?.code ?? []))
    }
    judgeRelations(relations)
    if (types.length > 0 || makesRows) {
      const [found] = await session.many(behindTypes(types, makesRows ? uses.relations : []))
      code.push(...(found?.code ?? []))
    }
    await judgeCode(session, code, allowed, this.#deps.allowed)
    return relations
  }
}

interface Told {
  readonly columns: { name: string; type: string }[]
  exact(row: readonly (string | null)[]): ExactValue[]
}

/** How columns are told and values read; what is found out of types is kept for the next answer. */
async function toldOf(
  session: ReaderSession,
  columns: readonly Column[],
  types: Map<string, TypeFacts>,
): Promise<Told> {
  const key = ({ type, modifier }: Pick<Column, 'type' | 'modifier'>) => `${type}:${modifier}`
  const unknown = columns.filter((column) => !types.has(key(column)))
  const rows = unknown.length > 0 ? await session.many(typeFacts(unknown)) : []
  for (const { type, modifier, ...facts } of rows)
    types.set(key({ type: Number(type), modifier }), facts)
  const factsOf = columns.map((column) => types.get(key(column)))
  const read = (raw: string | null, index: number): ExactValue =>
    exactValue(raw, columns[index]?.type ?? 0, (type) =>
      type === columns[index]?.type ? factsOf[index] : undefined,
    )
  return {
    columns: columns.map(({ name }, index) => ({
      name,
      type: factsOf[index]?.name ?? 'unknown',
    })),
    exact: (row) => row.map(read),
  }
}

/** Functions that make rows of a table's type out of JSON, and with them values of its domains. */
const MAKES_ROWS = /^jsonb?_(populate_record|to_record)/

/** The reader may not read it yet. */
const WITHHELD = Symbol('withheld')

/** Puts schemas before what is written without one. */
async function qualify(session: ReaderSession, { text, uses }: ReadQuery): Promise<QualifiedText> {
  const open = (kind: 'relation' | 'type', names: readonly NameUse[]) =>
    names.flatMap((use) => (use.schema === null ? [{ ...use, kind }] : []))
  const wanted = [...open('relation', uses.relations), ...open('type', uses.types)]
  if (wanted.length === 0) return new QualifiedText(text, [])
  const found = await session.many(findNames(wanted, PATH))
  const put = wanted.flatMap((use) => {
    const match = found.find(({ kind, name }) => kind === use.kind && name === use.name)
    return match && match.schema !== 'pg_catalog' ? [{ ...use, found: match.schema }] : []
  })
  return new QualifiedText(text, put)
}

const isNotGranted = (error: unknown): boolean =>
  error instanceof AppError &&
  (error.message.startsWith('Refused by rule not_granted') ||
    sqlState(Reflect.get(error, 'cause')) === '42501')

const notGranted = ({ schema, name }: { schema: string; name: string }): AppError =>
  new Refusal(
    'not_granted',
    `the reader may not read ${schema}.${name}`,
    `Let an operator run: grant select on "${schema}"."${name}" to the role that reads (catalyst_reader, or that of CATALYST_READER_URL).`,
  )

const parameters = ({ uses }: ReadQuery, given: number): AppError =>
  new AppError(
    'invalid_input',
    `params: the statement has parameters up to $${uses.parameters}, and ${given} values were given.`,
    { hint: 'Give one value for each, in order.' },
  )
