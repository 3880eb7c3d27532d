import type pg from 'pg'
import { AppError, abortError } from '../../../errors.js'
import { backendOf, requestCancel } from '../cancel.js'
import { connectDirectly, type Endpoint } from '../connection.js'
import type { Login } from '../direct.js'
import { rowsOf } from '../own-connection.js'
import { type Statement, sql } from '../sql.js'
import { sever } from '../standing.js'
import { MemoryWatch } from './memory-watch.js'
import { type Column, PrepareRequest, type RowLimits, type Rows, RunRequest } from './portal.js'

/** What holds for one statement; nothing of it outlives its transaction. */
const LIMITS: Readonly<Record<string, string>> = {
  statement_timeout: '10s',
  lock_timeout: '1s',
  idle_in_transaction_session_timeout: '15s',
  transaction_timeout: '30s',
  work_mem: '32MB',
  hash_mem_multiplier: '1',
  jit: 'off',
  row_security: 'on',
  client_min_messages: 'error',
  default_transaction_read_only: 'on',
}

/** How values are written and names are found: an operator or function without a schema is PostgreSQL's own. */
const MEANINGS: Readonly<Record<string, string>> = {
  search_path: 'pg_catalog, pg_temp',
  timezone: 'UTC',
  datestyle: 'ISO, MDY',
  intervalstyle: 'iso_8601',
  extra_float_digits: '1',
  bytea_output: 'hex',
  standard_conforming_strings: 'on',
  array_nulls: 'on',
  transform_null_equals: 'off',
  xmloption: 'content',
  xmlbinary: 'base64',
}

/** The one statement of a transaction; `discard all` forgets it. */
const STATEMENT = 'door'
/** A plan of thousands of nodes. */
const PLAN_BYTES = 4_000_000

const parametersOf = (name: string) => sql<{ parameters: number }>`
  select cardinality(parameter_types) as parameters
  from pg_prepared_statements
  where name = ${name}`

/** Settings that this server knows and that the role may set. */
const settable = () => sql<{ name: string }>`
  select name
  from pg_settings
  where context = 'user'`

const beginText = (settable: ReadonlySet<string>): string =>
  [
    'begin isolation level read committed read only, not deferrable',
    ...Object.entries({ ...LIMITS, ...MEANINGS })
      .filter(([name]) => settable.has(name.toLowerCase()))
      .map(
        ([name, value]) => `set local ${name} to ${name === 'search_path' ? value : `'${value}'`}`,
      ),
  ].join('; ')

/** One connection of the reader, lent to one statement at a time, which leaves nothing on it. */
export class ReaderSession {
  readonly #endpoint: Endpoint
  readonly #client: pg.Client
  readonly #memory: MemoryWatch
  readonly #begin: string
  #isLost = false
  #plans = 0

  private constructor(endpoint: Endpoint, client: pg.Client, begin: string) {
    this.#begin = begin
    this.#endpoint = endpoint
    this.#client = client
    this.#memory = new MemoryWatch(
      endpoint.servers.targetOf(client).host,
      backendOf(client).processID,
    )
    client.on('error', () => this.#lose()).on('end', () => this.#lose())
  }

  /**
   * Connects, as somebody else where a login is given, to another database where one is named.
   *
   * @throws AppError `unavailable`
   */
  static async open(
    endpoint: Endpoint,
    login: Login | null,
    database: string | null,
  ): Promise<ReaderSession> {
    const options = { name: 'catalyst-db reader', timeoutMs: 0 }
    const client = await connectDirectly(endpoint, options, {
      ...login,
      ...(database === null ? {} : { database }),
    })
    try {
      const names = (await rowsOf(client, settable())).map(({ name }) => name.toLowerCase())
      return new ReaderSession(endpoint, client, beginText(new Set(names)))
    } catch (error) {
      sever(client)
      throw error
    }
  }

  /** The connection is gone. */
  get isLost(): boolean {
    return this.#isLost
  }

  /** Begins a transaction that cannot write, with its limits. */
  async begin(): Promise<void> {
    await this.#client.query(this.#begin)
  }

  /** All rows of a statement of ours. */
  many<Row>(statement: Statement<Row>): Promise<Row[]> {
    return rowsOf(this.#client, statement)
  }

  /**
   * Parses one statement that is not ours: a Parse of its own, so that it is one statement whatever its
   * text does with quotes. From here on what it reads is locked against changes of its definition.
   */
  prepare(text: string): Promise<readonly Column[]> {
    return this.#parse(STATEMENT, text)
  }

  /**
   * The plan of a statement that was prepared before, as EXPLAIN (FORMAT JSON) tells it.
   *
   * @param values null for the plan that serves any values
   */
  async explain(
    text: string,
    {
      values,
      options,
    }: { readonly values: readonly (string | null)[] | null; readonly options: string },
    signal: AbortSignal,
  ): Promise<unknown> {
    const name = `plan${++this.#plans}`
    const wanted = values === null ? `execute ${await this.#generic(text)}` : text
    await this.#parse(name, `explain (format json${options}) ${wanted}`)
    const { rows } = await this.#execute(name, values ?? [], { rows: 1, bytes: PLAN_BYTES }, signal)
    return JSON.parse(rows[0]?.[0] ?? '[null]')[0]
  }

  /**
   * Prepares it once more, by name, and answers how it is executed with parameters that say nothing. Anew
   * each time: a plan that was made once is kept, whatever indexes there are by then.
   */
  async #generic(text: string): Promise<string> {
    const name = `generic${++this.#plans}`
    await this.#client.query('set local plan_cache_mode to force_generic_plan')
    await this.#parse(`${name}_request`, `prepare ${name} as ${text}`)
    const { signal } = new AbortController()
    await this.#execute(`${name}_request`, [], { rows: 1, bytes: 1_000 }, signal)
    const [found] = await this.many(parametersOf(name))
    const nulls = Array.from({ length: found?.parameters ?? 0 }, () => 'null')
    return nulls.length > 0 ? `${name}(${nulls.join(', ')})` : name
  }

  #parse(name: string, text: string): Promise<readonly Column[]> {
    const request = new PrepareRequest(name, text)
    this.#client.query(request)
    return request.done
  }

  /**
   * Runs what was prepared until so many rows or bytes have come. When the signal is aborted, or the
   * backend takes too much memory, PostgreSQL is asked to stop it.
   */
  run(values: readonly (string | null)[], limits: RowLimits, signal: AbortSignal): Promise<Rows> {
    return this.#execute(STATEMENT, values, limits, signal)
  }

  async #execute(
    name: string,
    values: readonly (string | null)[],
    limits: RowLimits,
    signal: AbortSignal,
  ): Promise<Rows> {
    if (signal.aborted) throw abortError(signal)
    const stop = (): void =>
      void requestCancel(this.#endpoint, this.#client).catch(() => sever(this.#client))
    const request = new RunRequest(name, values, limits, () => sever(this.#client))
    const memory = this.#memory.watch(stop)
    signal.addEventListener('abort', stop, { once: true })
    try {
      this.#client.query(request)
      return await request.done
    } catch (error) {
      if (signal.aborted) throw abortError(signal)
      throw memory.isOver ? tooMuchMemory(error) : error
    } finally {
      memory.end()
      signal.removeEventListener('abort', stop)
    }
  }

  /** Undoes everything a statement could have left: locks, settings, plans. Drops a connection where that fails. */
  async reset(): Promise<void> {
    try {
      await this.#client.query('rollback')
      await this.#client.query('discard all')
    } catch {
      this.end()
    }
  }

  /** Ends it; the server knows nothing of it any more once that is done. */
  async end(): Promise<void> {
    this.#lose()
    await this.#client.end().catch(() => {})
  }

  #lose(): void {
    this.#isLost = true
  }
}

const tooMuchMemory = (cause: unknown): AppError =>
  new AppError('invalid_input', 'The statement needed too much memory and was stopped.', {
    hint: 'Gather less into one value: filter, group or limit before string_agg, array_agg and the like.',
    cause,
  })
