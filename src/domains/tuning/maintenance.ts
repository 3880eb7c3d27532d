import { AppError } from '../../errors.js'
import type { Caller } from '../../lib/caller.js'
import type { Endpoint } from '../../platform/postgres/connection.js'
import { DirectSession } from '../../platform/postgres/direct.js'
import { isConnectionLoss, isLockTimeout, sqlState } from '../../platform/postgres/errors.js'
import {
  freeSpaceMeter,
  leftoverIndexes,
  lockHolders,
  type MaintainedTable,
  maintainedTables,
  reusableBytes,
  serverVersion,
  type TableFigures,
  tableFigures,
  waitBriefly,
} from './maintenance.sql.js'

/** What can be done with a table. */
export type Operation = 'vacuum' | 'analyze' | 'reindex'

/** What became of one operation on one table. */
export interface TableResult {
  readonly name: string
  readonly operation: Operation
  readonly before: TableFigures
  readonly after: TableFigures
  readonly reclaimed_bytes: number
  /** Room inside the files that new rows can take; null where nothing can measure it. */
  readonly reusable_bytes: number | null
  /** Why nothing was done; null when it was. */
  readonly skipped: string | null
}

/** Where tables without a schema are looked for. */
const PATH = ['public', 'catalyst']
/** Statistics come last, so that they tell of the table as it is left. */
const ORDER: readonly Operation[] = ['vacuum', 'reindex', 'analyze']

const COMMANDS: Readonly<Record<Operation, (table: string) => string>> = {
  vacuum: (table) => `vacuum (skip_locked false) ${table}`,
  analyze: (table) => `analyze ${table}`,
  // Readers and writers go on; the plain form would keep them out.
  reindex: (table) => `reindex table concurrently ${table}`,
}

/**
 * Looks after tables one by one, without keeping readers or writers out, and measures each before and after.
 *
 * @param names null for all tables of the database
 * @throws AppError `not_found` naming a table that is not there
 */
export async function maintain(
  endpoint: Endpoint,
  names: readonly string[] | null,
  operations: readonly Operation[],
  { signal, progress }: Caller,
): Promise<TableResult[]> {
  return DirectSession.use(endpoint, async (session) => {
    const [{ version } = { version: 0 }] = await session.many(serverVersion())
    const tables = await session.many(maintainedTables(names, PATH, version))
    const missing = tables.find(({ oid }) => Number(oid) === 0)
    if (missing) throw unknownTable(missing)
    await session.many(waitBriefly())
    const [meter] = await session.many(freeSpaceMeter())
    const steps = tables.flatMap((table) =>
      ORDER.filter((one) => operations.includes(one)).map((operation) => ({ table, operation })),
    )
    const results: TableResult[] = []
    for (const [index, { table, operation }] of steps.entries()) {
      progress(index, steps.length, `${operation} ${table.schema}.${table.table}`)
      const step = new Step(session, table, operation, meter?.schema ?? null)
      results.push(await step.run(signal))
    }
    progress(steps.length, steps.length, 'done')
    return results
  })
}

/** One operation on one table. */
class Step {
  readonly #session: DirectSession
  readonly #table: MaintainedTable
  readonly #operation: Operation
  readonly #meter: string | null

  constructor(
    session: DirectSession,
    table: MaintainedTable,
    operation: Operation,
    meter: string | null,
  ) {
    this.#session = session
    this.#table = table
    this.#operation = operation
    this.#meter = meter
  }

  async run(signal: AbortSignal): Promise<TableResult> {
    const before = await this.#figures()
    const skipped = this.#table.obstacle ?? (await this.#skipped(signal))
    const after = skipped === null ? await this.#figures() : before
    return {
      name: `${this.#table.schema}.${this.#table.table}`,
      operation: this.#operation,
      before,
      after,
      reclaimed_bytes: Math.max(0, before.size_bytes - after.size_bytes),
      reusable_bytes:
        this.#operation === 'vacuum' && skipped === null ? await this.#reusable() : null,
      skipped,
    }
  }

  /** Does it; answers why not where it could not be done. */
  async #skipped(signal: AbortSignal): Promise<string | null> {
    const { schema, table } = this.#table
    const name = [schema, table].map((part) => `"${part.replaceAll('"', '""')}"`).join('.')
    try {
      await this.#session.command(COMMANDS[this.#operation](name), signal)
      return null
    } catch (error) {
      if (signal.aborted || isConnectionLoss(error)) throw error
      if (this.#operation === 'reindex') await this.#dropLeftovers()
      if (isLockTimeout(error)) return this.#held()
      return REASONS[sqlState(error) ?? ''] ?? `PostgreSQL refused it (SQLSTATE ${sqlState(error)})`
    }
  }

  async #held(): Promise<string> {
    const holders = await this.#session.many(lockHolders(this.#table.oid))
    const pids = holders.map(({ pid }) => pid).join(', ')
    return `a lock on it was not free within 5 s${pids ? ` (held by backend ${pids})` : ''}: try again later`
  }

  async #dropLeftovers(): Promise<void> {
    for (const { schema, index } of await this.#session.many(leftoverIndexes(this.#table.oid))) {
      const name = [schema, index].map((part) => `"${part.replaceAll('"', '""')}"`).join('.')
      // What cannot be dropped now is invalid and harmless, and told by health checks.
      await this.#session.command(`drop index concurrently if exists ${name}`).catch(() => {})
    }
  }

  async #figures(): Promise<TableFigures> {
    const [figures] = await this.#session.many(tableFigures(this.#table.oid))
    return figures ?? { size_bytes: 0, dead_rows: 0 }
  }

  async #reusable(): Promise<number | null> {
    if (this.#meter === null) return null
    const [measured] = await this.#session.many(reusableBytes(this.#meter, this.#table.oid))
    return measured?.reusable_bytes ?? null
  }
}

const REASONS: Readonly<Record<string, string>> = {
  '42501': 'the role of the server may not do that',
  '42P01': 'it is no longer there',
  '25006': 'the server only reads',
  '57014': 'it ran into a time limit of the server',
  '53100': 'the disk is full',
  '23505': 'an index of it holds duplicates: a unique index cannot be built',
  '0A000': 'PostgreSQL cannot do that with this kind of table',
}

const unknownTable = ({ wanted }: MaintainedTable): AppError =>
  new AppError('not_found', `There is no table ${JSON.stringify((wanted ?? '').slice(0, 130))}.`, {
    hint: 'Nothing was done. Read catalyst://db/schema for their names, as in catalyst.news_articles.',
  })
