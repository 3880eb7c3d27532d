import { catalogOnly } from '../catalog-only.js'
import type { DirectSession } from '../direct.js'
import { backfillOf, type Filling } from './backfill.js'
import { type Catalog, catalogOf, diffOf, type Replaced } from './catalog-diff.js'
import type { Counted, Loss } from './loss.js'
import { setBack } from './sequences.js'
import { settle } from './settle.js'
import * as statements from './snapshot.sql.js'

/** Rows written so far, by oid. */
export type Counters = ReadonlyMap<string, statements.RowCounter>

/**
 * Asks the server, inside a transaction, what a script does to everything that is older than it: the
 * counters of its rows, which count what functions, triggers, rules and cascades do as well, and the
 * catalog before and after.
 */
export class Measure {
  readonly #session: DirectSession
  #catalog: Catalog
  #counters: Counters
  #sequences: readonly statements.SequenceValue[]
  /** Rows that were there before, of what may be lost. */
  readonly #counted: ReadonlyMap<string, Loss>
  /** Rows of a table whose overwriting lost nothing. */
  readonly #excused = new Map<string, number>()

  private constructor(session: DirectSession, start: Reading, counted: readonly Loss[]) {
    this.#session = session
    this.#counted = new Map(counted.map((loss) => [loss.object, loss]))
    this.#catalog = start.catalog
    this.#counters = start.counters
    this.#sequences = start.sequences
  }

  /**
   * Looks at everything before the script; to be called inside its transaction.
   *
   * @param confirmed what may be lost: its rows are counted now, for they will be gone
   */
  static async begin(session: DirectSession, confirmed: readonly Loss[]): Promise<Measure> {
    const start = await read(session)
    return new Measure(session, start, await counted(session, confirmed))
  }

  /**
   * What the script has lost, overwritten or opened so far. Everything that would only run at the
   * commit runs before. A script measured after this one starts from here.
   *
   * @throws AppError `precondition_failed` when its triggers defer work without an end
   */
  async losses(): Promise<Loss[]> {
    await settle(this.#session)
    const now = await read(this.#session)
    const { losses, replaced } = diffOf(this.#catalog, this.#withoutOthers(now))
    const found = [
      ...rowsLost(this.#catalog, this.#counters, now.counters, this.#excused),
      ...losses,
      ...(await this.#storage(replaced)),
      ...setBack(this.#sequences, now.sequences, this.#catalog, now.catalog),
    ]
    this.#catalog = now.catalog
    this.#counters = now.counters
    this.#sequences = now.sequences
    this.#excused.clear()
    return found.map((loss) => this.#withRows(loss)).toSorted(byName)
  }

  /**
   * Runs a statement that may fill columns which nobody has filled yet, and excuses the rows that it
   * overwrote when the server says that it did only that.
   */
  async filling(filling: Filling | null, run: () => Promise<number>): Promise<number> {
    if (!filling) return run()
    const { backfill, before, filled } = await catalogOnly(this.#session, async () => {
      const found = await backfillOf(this.#session, filling, this.#catalog)
      const counted = await countersOf(this.#session)
      return { backfill: found, before: counted, filled: (await found?.count()) ?? [] }
    })
    const rows = await run()
    if (!backfill) return rows
    const written = await catalogOnly(this.#session, async () => {
      const more = overwritten(before, await countersOf(this.#session))
      return (await backfill.onlyFilled({ rows, written: more, filled }))
        ? more
        : new Map<string, number>()
    })
    for (const [oid, count] of written) {
      this.#excused.set(oid, (this.#excused.get(oid) ?? 0) + count)
    }
    return rows
  }

  /**
   * What all databases of the server share changes while a script runs: what the transaction itself has not
   * written there since is somebody else's, and is left as it was.
   */
  #withoutOthers({ catalog, counters }: Reading): Catalog {
    const others = new Set(
      [...SHARED].flatMap(([kind, table]) =>
        writtenTo(table, counters) === writtenTo(table, this.#counters) ? [kind] : [],
      ),
    )
    return new Map([
      ...[...catalog].filter(([, { kind }]) => !others.has(kind)),
      ...[...this.#catalog].filter(([, { kind }]) => others.has(kind)),
    ])
  }

  #withRows(loss: Loss): Loss {
    const before = this.#counted.get(loss.object)
    return loss.of && before ? { ...loss, rows: before.rows, atLeast: before.atLeast } : loss
  }

  /** An empty table that is written anew has lost nothing. */
  async #storage(replaced: readonly Replaced[]): Promise<Loss[]> {
    const losses: Loss[] = []
    for (const { oid, name } of replaced) {
      const kind = this.#catalog.get(`relation:${oid}`)?.state.includes('"relkind": "S"')
      const [stored] = await this.#session.many(statements.storedBytes(oid))
      const what = kind ? 'restarted' : stored?.bytes === '0' ? 'emptied' : 'written anew'
      const title = kind ? 'sequence' : 'table'
      const of = kind ? {} : { of: { relation: name, column: null } }
      losses.push({ what, object: `${title} ${name}`, rows: null, atLeast: false, ...of })
    }
    return losses
  }
}

/** More rows than that are not counted one by one. */
const MAX_COUNTED = 1_000_000

/** The losses with their rows; to be called while these are there. */
export async function counted(session: DirectSession, losses: readonly Loss[]): Promise<Loss[]> {
  const found: Loss[] = []
  for (const loss of losses) found.push(loss.of ? await countedOne(session, loss, loss.of) : loss)
  return found
}

/** What is not there is no row. */
async function countedOne(session: DirectSession, loss: Loss, of: Counted): Promise<Loss> {
  return catalogOnly(session, async () => {
    const [present] = await session.many(statements.isThere(of))
    if (!present?.present) return { ...loss, rows: 0, atLeast: false }
    const [row] = await session.many(statements.countOf(of, MAX_COUNTED + 1))
    const rows = Number(row?.rows ?? 0)
    return { ...loss, rows: Math.min(rows, MAX_COUNTED), atLeast: rows > MAX_COUNTED }
  })
}

interface Reading {
  readonly catalog: Catalog
  readonly counters: Counters
  readonly sequences: readonly statements.SequenceValue[]
}

const read = (session: DirectSession): Promise<Reading> =>
  catalogOnly(session, async () => ({
    catalog: catalogOf(await session.many(statements.catalogEntries())),
    counters: await countersOf(session),
    sequences: await session.many(statements.sequenceValues()),
  }))

/** What the transaction has written until now. */
async function countersOf(session: DirectSession): Promise<Counters> {
  const rows = await session.many(statements.rowCounters())
  return new Map(rows.map((row) => [row.oid, row]))
}

const byName = (a: Loss, b: Loss): number =>
  `${a.object} ${a.what}` < `${b.object} ${b.what}` ? -1 : 1

/** How many rows more were overwritten or deleted, by table. */
function overwritten(before: Counters, after: Counters): Map<string, number> {
  const written = new Map<string, number>()
  for (const [oid, { updated, deleted }] of after) {
    const old = before.get(oid)
    const count =
      Number(updated) + Number(deleted) - Number(old?.updated ?? 0) - Number(old?.deleted ?? 0)
    if (count > 0) written.set(oid, count)
  }
  return written
}

const LEDGERS = /^catalyst\./
const LARGE_OBJECTS = 'the large objects'
const ROLES = 'the roles and passwords of the server'

/** Kinds of entries that belong to the server and not to a database, with the table that holds them. */
const SHARED: ReadonlyMap<string, string> = new Map([
  ['role', ROLES],
  ['membership', 'pg_catalog.pg_auth_members'],
  ['setting', 'pg_catalog.pg_db_role_setting'],
  ['subscription', 'pg_catalog.pg_subscription'],
])

/** Rows that the transaction has written to a table. */
function writtenTo(table: string, counters: Counters): number {
  const own = [...counters.values()].find(({ name }) => name === table)
  return Number(own?.inserted ?? 0) + Number(own?.updated ?? 0) + Number(own?.deleted ?? 0)
}

function rowsLost(
  catalog: Catalog,
  before: Counters,
  after: Counters,
  excused: ReadonlyMap<string, number>,
): Loss[] {
  const hasLargeObjects = [...catalog.values()].some(({ kind }) => kind === 'large object')
  return [...after.values()].flatMap(({ oid, name, inserted, updated, deleted }) => {
    const isOld =
      name === ROLES || (name === LARGE_OBJECTS ? hasLargeObjects : catalog.has(`relation:${oid}`))
    if (!isOld) return []
    const old = before.get(oid)
    const count = (what: string, now: string, then = '0', less = 0): Loss[] => {
      const rows = Number(now) - Number(then) - less
      const object = catalog.get(`relation:${oid}`)?.name ?? name
      return rows > 0 ? [{ what, object, rows, atLeast: false }] : []
    }
    return [
      ...count('rows deleted', deleted, old?.deleted),
      ...count('rows overwritten', updated, old?.updated, excused.get(oid)),
      // What the product knows of itself is nobody's to add to.
      ...(LEDGERS.test(name) ? count('rows written', inserted, old?.inserted) : []),
    ]
  })
}
