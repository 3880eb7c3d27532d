import type { DirectSession } from '../../../platform/postgres/direct.js'
import { isDuplicateKey } from '../../../platform/postgres/errors.js'
import {
  type LoggedMessage,
  type LoggedRelation,
  type LoggedRow,
  UNCHANGED,
} from '../../../platform/postgres/replication/pgoutput.js'
import type { sql } from '../../../platform/postgres/sql.js'
import {
  copyInto,
  deleteMany,
  deleteOne,
  type Target,
  updateMany,
  updateOne,
  type Value,
} from './changes.sql.js'

type Change = LoggedMessage & { readonly kind: 'insert' | 'update' | 'delete' }

/** The log says something of a row that is not there, or that is there twice. */
export class Divergence extends Error {
  readonly table: string

  constructor(target: Target, cause?: unknown) {
    super('a row of the log does not meet the restored ones', { cause })
    this.table = `${target.schema}.${target.name}`
  }
}

/** Changes of one kind in a row, of one table, that one statement can make. */
interface Run {
  readonly kind: Change['kind']
  /** Which columns are set: only changes of one shape fit into one statement. */
  readonly shape: string
  readonly columns: readonly string[]
  /** Key first, then what is set. */
  readonly rows: Value[][]
  readonly keys: Set<string>
}

/** So many rows wait for one statement at most. */
const MOST_ROWS = 5_000

/**
 * The changes of one table on their way. Without triggers and foreign keys tables do not know of each other, so
 * only the order within each matters, and changes of one kind that follow each other become one statement.
 */
export class TableBuffer {
  readonly target: Target
  readonly #relation: LoggedRelation
  /** Columns that tell rows apart in the restored table; none: only all of them together do. */
  readonly #keys: readonly string[]
  readonly #session: DirectSession
  #run: Run | null = null

  constructor(options: {
    readonly target: Target
    readonly relation: LoggedRelation
    readonly primaryKey: readonly string[]
    readonly session: DirectSession
  }) {
    const { relation, primaryKey } = options
    this.target = options.target
    this.#relation = relation
    this.#session = options.session
    const told = relation.columns.filter(({ isKey }) => isKey).map(({ name }) => name)
    this.#keys = relation.identity === 'full' ? primaryKey : told
  }

  /** How much waits. */
  get size(): number {
    return this.#run?.rows.length ?? 0
  }

  /** Takes one change in; what cannot wait together with those before makes them first. */
  async add(change: Change): Promise<void> {
    if (change.kind === 'insert') return this.#insert(change.new)
    const old = change.kind === 'delete' ? change.old : change.old
    const before = old?.row ?? (change.kind === 'update' ? change.new : [])
    if (this.#keys.length === 0) return this.#alone(change, before)
    const key = this.#valuesOf(this.#keys, before)
    if (change.kind === 'delete') return this.#queue('delete', '', [], key, key)
    const set = this.#told(change.new)
    const moved = set.some(([name, value]) => {
      const at = this.#keys.indexOf(name)
      return at >= 0 && key[at] !== value
    })
    if (moved) return this.#alone(change, before)
    const others = set.filter(([name]) => !this.#keys.includes(name))
    // The row was written again with nothing changed.
    const kept = others.length > 0 ? others : set
    const columns = kept.map(([name]) => name)
    return this.#queue('update', columns.join('\0'), columns, key, [
      ...key,
      ...kept.map(([, value]) => value),
    ])
  }

  /** Makes what waits. */
  async flush(): Promise<void> {
    const run = this.#run
    this.#run = null
    if (!run || run.rows.length === 0) return
    if (run.kind === 'insert') return this.#copy(run)
    if (run.kind === 'delete') {
      const changed = await this.#session.run(
        deleteMany(this.target, this.#keys, columnwise(run.rows)),
      )
      if (changed !== run.rows.length) throw new Divergence(this.target)
      return
    }
    return this.#update(run)
  }

  async #insert(row: LoggedRow): Promise<void> {
    const columns = this.#relation.columns.map(({ name }) => name)
    await this.#fit('insert', '', columns)
    this.#run?.rows.push(this.#valuesOf(columns, row))
    if (this.size >= MOST_ROWS) await this.flush()
  }

  async #queue(
    kind: Run['kind'],
    shape: string,
    columns: readonly string[],
    key: readonly Value[],
    row: Value[],
  ): Promise<void> {
    const name = JSON.stringify(key)
    if (this.#run?.keys.has(name)) await this.flush()
    await this.#fit(kind, shape, columns)
    this.#run?.keys.add(name)
    this.#run?.rows.push(row)
    if (this.size >= MOST_ROWS) await this.flush()
  }

  async #fit(kind: Run['kind'], shape: string, columns: readonly string[]): Promise<void> {
    if (this.#run?.kind === kind && this.#run.shape === shape) return
    await this.flush()
    this.#run = { kind, shape, columns, rows: [], keys: new Set() }
  }

  async #copy({ columns, rows }: Run): Promise<void> {
    try {
      const stored = await this.#session.copyIn(copyInto(this.target, columns), linesOf(rows))
      if (stored !== rows.length) throw new Divergence(this.target)
    } catch (error) {
      throw isDuplicateKey(error) ? new Divergence(this.target, error) : error
    }
  }

  /**
   * All in one statement, in whatever order. Where a value goes from one row to another in a column that is unique,
   * the order matters: then one after the other.
   */
  async #update(run: Run): Promise<void> {
    const { rows, columns } = run
    await this.#session.command('savepoint run')
    try {
      const changed = await this.#session.run(
        updateMany(this.target, this.#keys, columns, columnwise(rows)),
      )
      if (changed !== rows.length) throw new Divergence(this.target)
      await this.#session.command('release savepoint run')
    } catch (error) {
      if (!isDuplicateKey(error) || rows.length === 1) throw error
      await this.#session.command('rollback to savepoint run')
      await this.#session.command('release savepoint run')
      for (const row of rows) await this.#one(row, columns)
    }
  }

  async #one(row: readonly Value[], columns: readonly string[]): Promise<void> {
    const by = this.#keys.map((name, at) => [name, row[at] ?? null] as const)
    const set = columns.map((name, at) => [name, row[this.#keys.length + at] ?? null] as const)
    await this.#exactlyOne(updateOne(this.target, by, true, set))
  }

  async #alone(change: Change & { kind: 'update' | 'delete' }, before: LoggedRow): Promise<void> {
    await this.flush()
    const isKey = this.#keys.length > 0
    const names = isKey ? this.#keys : this.#relation.columns.map(({ name }) => name)
    const values = this.#valuesOf(names, before)
    const by = names.map((name, at) => [name, values[at] ?? null] as const)
    await this.#exactlyOne(
      change.kind === 'delete'
        ? deleteOne(this.target, by, isKey)
        : updateOne(this.target, by, isKey, this.#told(change.new)),
    )
  }

  async #exactlyOne(statement: ReturnType<typeof sql<never>>): Promise<void> {
    if ((await this.#session.run(statement)) !== 1) throw new Divergence(this.target)
  }

  /** The values that the log repeats. */
  #told(row: LoggedRow): (readonly [string, Value])[] {
    return this.#relation.columns.flatMap(({ name }, at) => {
      const value = row[at]
      return value === UNCHANGED || value === undefined ? [] : [[name, value] as const]
    })
  }

  #valuesOf(names: readonly string[], row: LoggedRow): Value[] {
    return names.map((name) => {
      const value = row[this.#relation.columns.findIndex((column) => column.name === name)]
      if (value === UNCHANGED || value === undefined) throw new Divergence(this.target)
      return value
    })
  }
}

const columnwise = (rows: readonly (readonly Value[])[]): Value[][] =>
  (rows[0] ?? []).map((_, at) => rows.map((row) => row[at] ?? null))

const SPECIAL = /[\\\t\n\r\b\f\v]/g
const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '\t': '\\t',
  '\n': '\\n',
  '\r': '\\r',
  '\b': '\\b',
  '\f': '\\f',
  '\v': '\\v',
}

const CHUNK = 64 * 1024

/** Rows in COPY's text format, many in a piece. */
function* linesOf(rows: readonly (readonly Value[])[]): Iterable<Buffer> {
  let text = ''
  for (const row of rows) {
    const values = row.map((value) =>
      value === null ? '\\N' : value.replace(SPECIAL, (character) => ESCAPES[character] ?? ''),
    )
    text += `${values.join('\t')}\n`
    if (text.length < CHUNK) continue
    yield Buffer.from(text)
    text = ''
  }
  yield Buffer.from(text)
}
