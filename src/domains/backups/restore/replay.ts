import type { Readable } from 'node:stream'
import { isDeepStrictEqual } from 'node:util'
import { AppError } from '../../../errors.js'
import type { DirectSession } from '../../../platform/postgres/direct.js'
import { sqlState } from '../../../platform/postgres/errors.js'
import { formatLsn } from '../../../platform/postgres/replication/lsn.js'
import {
  decode,
  type LoggedMessage,
  type LoggedRelation,
} from '../../../platform/postgres/replication/pgoutput.js'
import { sql } from '../../../platform/postgres/sql.js'
import { frameBatches } from '../archive/segment.js'
import { type Mark, type SchemaChange, Signs } from '../archive/signs.js'
import { type Target, truncate } from './changes.sql.js'
import { actingByThemselves, columnsOf } from './pending.sql.js'
import { Divergence, TableBuffer } from './table-buffer.js'

/** Up to where the log is replayed; times are microseconds since 1970. */
export type Stop =
  /** The first commit after that time, in the order of the log, and all behind it are left out. */
  | { readonly kind: 'time'; readonly us: number }
  /** Commits from there on are left out. */
  | { readonly kind: 'lsn'; readonly lsn: bigint }

/** A commit of the log. */
export interface Commit {
  readonly lsn: bigint
  readonly us: number
}

/** What came of a replay. */
export interface Replayed {
  /** The last commit that was replayed; null when none was. */
  readonly last: Commit | null
  /** The first that was left out; null when the log has no more. */
  readonly next: Commit | null
  readonly transactions: number
  /** How many rows more there are of each table, by the oid that it had; and the name it has now. */
  readonly tables: ReadonlyMap<number, TableCount>
  /** The last mark that was replayed, and the first that was left out. */
  readonly marks: { readonly before: Mark | null; readonly after: Mark | null }
}

/** What became of the rows of a table. */
export interface TableCount {
  readonly schema: string
  readonly name: string
  readonly rows: number
}

interface ReplayOptions {
  /** Rows that were loaded, by the oid that their table had. */
  readonly loaded: ReadonlyMap<number, number>
  /** In the database that is being restored. */
  readonly session: DirectSession
  /** Transactions before it are in the full backup. */
  readonly from: bigint
  readonly stop: Stop
  /** Whose changes are replayed; null: all. By name, for what was made after the full backup has no other. */
  readonly includes: (schema: string, name: string) => boolean
  /** What is yet to be made of the schema: needed only before it is changed, or at the end. */
  readonly pending: Pending
  /** Of migrations that the full backup knows. */
  readonly proofs: readonly string[]
  readonly signal: AbortSignal
}

/** So many transactions of the log are one of the replay. */
const MOST_TRANSACTIONS = 2_000
/** So many rows wait in memory at most. */
const MOST_ROWS = 20_000

/** What waits to be done to the schema while rows are loaded, and is done before anybody looks at it. */
export class Pending {
  readonly #session: DirectSession
  #statements: string[]
  readonly #leavesOut: (statement: string) => Promise<boolean>
  /** Rights and the like, of which some may fail. */
  readonly #complete: (session: DirectSession) => Promise<void>
  #isComplete = false

  constructor(options: {
    readonly session: DirectSession
    readonly statements: readonly string[]
    /** What cannot be made because something that it needs is not restored. */
    readonly leavesOut: (statement: string) => Promise<boolean>
    readonly complete: (session: DirectSession) => Promise<void>
  }) {
    this.#session = options.session
    this.#statements = [...options.statements]
    this.#leavesOut = options.leavesOut
    this.#complete = options.complete
  }

  /** Does what waits, inside of a transaction: the schema is then as it was at that place of the log. */
  async settle(): Promise<void> {
    const waiting = this.#statements
    this.#statements = []
    const made: string[] = []
    for (const statement of waiting) if (!(await this.#leavesOut(statement))) made.push(statement)
    await this.#session.command(made.join(';\n'))
    if (this.#isComplete) return
    this.#isComplete = true
    await this.#complete(this.#session)
  }

  /** Takes away what would act by itself on rows, until the next time that it is settled. */
  async holdBack(): Promise<void> {
    const acting = await this.#session.many(actingByThemselves())
    await this.#session.command(acting.map(({ away }) => away).join(';\n'))
    this.#statements.push(...acting.map(({ back }) => back))
  }
}

/**
 * Does again what the log tells, transaction by transaction in the order of their commits, up to where it is to
 * stop. Then it reads on to the next mark, for what sequences gave out.
 */
export class Replay {
  readonly #options: ReplayOptions
  readonly #signs: Signs
  readonly #relations = new Map<number, LoggedRelation>()
  readonly #buffers = new Map<number, TableBuffer | null>()
  #current: Commit | null = null
  #isSkipped = false
  #isSettled = false
  #isOver = false
  #isOpen = false
  #inOpen = 0
  #last: Commit | null = null
  #next: Commit | null = null
  #transactions = 0
  #changes = 0
  readonly #counts = new Map<number, TableCount>()
  #markBefore: Mark | null = null
  #markAfter: Mark | null = null

  constructor(options: ReplayOptions) {
    this.#options = options
    this.#signs = new Signs(options.proofs)
  }

  /** True once nothing further of the log is needed. */
  get isOver(): boolean {
    return this.#isOver
  }

  /**
   * Replays one segment.
   *
   * @throws AppError `integrity_violation` when the log does not fit what was restored
   */
  async read(segment: Readable): Promise<void> {
    // What the last segment told of tables, this one tells again.
    this.#relations.clear()
    for await (const batch of frameBatches(segment)) {
      for (const { message } of batch) {
        if (this.#isOver) break
        await this.#take(decode(message))
      }
      this.#options.signal.throwIfAborted()
      if (this.#isOver) break
    }
  }

  /** Commits what is open, and tells what was done. */
  async end(): Promise<Replayed> {
    await this.#commit()
    return {
      last: this.#last,
      next: this.#next,
      transactions: this.#transactions,
      tables: this.#counts,
      marks: { before: this.#markBefore, after: this.#markAfter },
    }
  }

  async #take(message: LoggedMessage): Promise<void> {
    if (message.kind === 'begin') return this.#begin(message.commitLsn, message.committedUs)
    if (message.kind === 'relation') this.#learn(message)
    const sign = this.#signs.read(message)
    if (sign?.kind === 'mark') this.#mark(sign.mark)
    if (this.#isSkipped) return
    try {
      if (message.kind === 'commit') return await this.#ended()
      if (sign?.kind === 'schema') await this.#change(sign.change)
      await this.#row(message)
    } catch (error) {
      throw this.#explained(error)
    }
  }

  #begin(lsn: bigint, us: number): void {
    const { from, stop } = this.#options
    this.#current = { lsn, us }
    // Segments may overlap: what was done is not done again.
    const isKnown = lsn < from || (this.#last !== null && lsn <= this.#last.lsn)
    if (!isKnown && !this.#next) {
      const isBeyond = stop.kind === 'time' ? us > stop.us : lsn >= stop.lsn
      if (isBeyond) this.#next = this.#current
    }
    this.#isSkipped = isKnown || this.#next !== null
  }

  #mark(mark: Mark): void {
    if (this.#next) {
      this.#markAfter = mark
      this.#isOver = true
    } else this.#markBefore = mark
  }

  #learn(relation: LoggedRelation): void {
    const known = this.#relations.get(relation.id)
    this.#relations.set(relation.id, relation)
    const buffer = this.#buffers.get(relation.id)
    if (buffer === undefined || (known && isDeepStrictEqual(known, relation))) return
    if (buffer && buffer.size > 0) this.#outdated.push(buffer)
    this.#buffers.delete(relation.id)
  }

  /** Of tables that look otherwise from here on. */
  readonly #outdated: TableBuffer[] = []

  async #row(message: LoggedMessage): Promise<void> {
    if (message.kind === 'truncate') return this.#truncate(message.relations)
    if (message.kind !== 'insert' && message.kind !== 'update' && message.kind !== 'delete') return
    const buffer = await this.#bufferOf(message.relation)
    if (!buffer) return
    await this.#open()
    await buffer.add(message)
    if (message.kind === 'insert') this.#count(message.relation, 1)
    if (message.kind === 'delete') this.#count(message.relation, -1)
    this.#changes++
    if (this.#changes % MOST_ROWS === 0) await this.#flush()
  }

  #count(relation: number, more: number): void {
    const { schema = '', name = '' } = this.#relations.get(relation) ?? {}
    const { loaded } = this.#options
    const rows = this.#counts.get(relation)?.rows ?? loaded.get(relation) ?? 0
    this.#counts.set(relation, { schema, name, rows: Math.max(rows + more, 0) })
  }

  async #truncate(relations: readonly number[]): Promise<void> {
    const targets: Target[] = []
    for (const relation of relations) {
      const buffer = await this.#bufferOf(relation)
      if (!buffer) continue
      targets.push(buffer.target)
      this.#count(relation, Number.NEGATIVE_INFINITY)
    }
    if (targets.length === 0) return
    await this.#open()
    await this.#flush()
    await this.#options.session.run(truncate(targets))
  }

  /** The first row since the schema was settled finds nothing that acts by itself. */
  async #open(): Promise<void> {
    const { session } = this.#options
    if (!this.#isOpen) {
      await session.command('begin')
      await session.command('set constraints all deferred')
      this.#isOpen = true
    }
    if (this.#isSettled) {
      this.#isSettled = false
      await session.command('set constraints all immediate')
      await this.#options.pending.holdBack()
      await session.command('set constraints all deferred')
    }
  }

  async #change({ sql: text, settings, replay }: SchemaChange): Promise<void> {
    if (replay === 'opaque') throw new Unrepeatable()
    const { session, pending } = this.#options
    await this.#open()
    await this.#flush()
    this.#buffers.clear()
    await session.command('set constraints all immediate')
    if (!this.#isSettled) await pending.settle()
    this.#isSettled = true
    const ours = await session.many(setFor(settings))
    await session.command(text)
    await session.many(setFor(Object.fromEntries(ours.map(({ name, was }) => [name, was]))))
  }

  async #ended(): Promise<void> {
    this.#last = this.#current
    this.#transactions++
    this.#inOpen++
    if (this.#inOpen >= MOST_TRANSACTIONS) await this.#commit()
  }

  async #flush(): Promise<void> {
    for (const buffer of this.#outdated.splice(0)) await buffer.flush()
    for (const buffer of this.#buffers.values()) await buffer?.flush()
  }

  async #commit(): Promise<void> {
    this.#inOpen = 0
    if (!this.#isOpen) return
    try {
      await this.#flush()
      await this.#options.session.command('commit')
      this.#isOpen = false
    } catch (error) {
      throw this.#explained(error)
    }
  }

  async #bufferOf(id: number): Promise<TableBuffer | null> {
    const known = this.#buffers.get(id)
    if (known !== undefined) return known
    // What waits for the table as it was comes before.
    for (const buffer of this.#outdated.splice(0)) await buffer.flush()
    const relation = this.#relations.get(id)
    if (!relation) throw new Error('the log has a row of a table that it did not tell of')
    const buffer = await this.#newBuffer(relation)
    this.#buffers.set(id, buffer)
    return buffer
  }

  async #newBuffer(relation: LoggedRelation): Promise<TableBuffer | null> {
    const { session, includes } = this.#options
    const { schema, name } = relation
    if (!includes(schema, name)) return null
    const columns = await session.many(columnsOf(schema, name))
    const types = new Map(columns.map((column) => [column.name, column.type]))
    const target: Target = { schema, name, types }
    if (relation.columns.some((column) => !types.has(column.name))) throw new Divergence(target)
    const primaryKey = columns.filter(({ is_key }) => is_key).map((column) => column.name)
    return new TableBuffer({ target, relation, primaryKey, session })
  }

  #explained(error: unknown): unknown {
    if (error instanceof AppError && !sqlState(error.cause)) return error
    const { lsn = 0n } = this.#current ?? {}
    const at = `the transaction at ${formatLsn(lsn)}`
    if (error instanceof Unrepeatable) {
      return new AppError(
        'precondition_failed',
        `A change of the schema in ${at} cannot be done again.`,
        {
          hint: 'Choose a moment before it, or one after the next full backup.',
          cause: error,
        },
      )
    }
    const what = error instanceof Divergence ? ` (table ${error.table})` : ''
    return new AppError(
      'integrity_violation',
      `The log does not fit the backup: ${at} cannot be done again${what}.`,
      {
        hint: 'Nothing was changed. Verify the backup, and choose another full backup or a moment before it.',
        cause: error,
      },
    )
  }
}

class Unrepeatable extends Error {}

/** Sets what a statement was run with, and answers what was set before. */
const setFor = (settings: Readonly<Record<string, string>>) => sql<{ name: string; was: string }>`
  with wanted as materialized (
    select key as name, value, current_setting(key) as was
    from json_each_text(${JSON.stringify(settings)}::json)
    where current_setting(key, true) is not null
  )
  select name, was, set_config(name, value, true)
  from wanted`
