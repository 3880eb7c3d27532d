import type { DirectSession } from '../direct.js'
import { sql } from '../sql.js'

/** A lock on a relation that was there before, and the statement that first took it. */
interface LockTaken {
  readonly relation: string
  /** PostgreSQL's name of it, such as `AccessExclusiveLock`. */
  readonly mode: string
  readonly statement: number
}

/** A relation with its name and the storage it has. */
interface Relation {
  readonly oid: string
  readonly relation: string
  readonly is_table: boolean
  readonly storage: string
}

/** A lock of this session on a relation, with the storage that this has now. */
interface OwnLock {
  readonly oid: string
  readonly mode: string
  readonly storage: string | null
}

/** The relations that there are, beside those of PostgreSQL. */
export const listRelations = () => sql<Relation>`
  select
    class.oid::text as oid,
    format('%s.%s', namespace.nspname, class.relname) as relation,
    class.relkind in ('r', 'm') as is_table,
    class.relfilenode::text as storage
  from pg_class as class
  join pg_namespace as namespace on namespace.oid = class.relnamespace
  where namespace.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')`

const listOwnLocks = () => sql<OwnLock>`
  select
    held.relation::text as oid,
    held.mode,
    class.relfilenode::text as storage
  from pg_locks as held
  left join pg_class as class on class.oid = held.relation
  where held.pid = pg_backend_pid()
    and held.locktype = 'relation'
    and held.granted
  order by held.relation, held.mode`

/**
 * Sees, statement by statement inside one transaction, which relations that were there before it are
 * locked and which tables get new storage. What the transaction itself creates concerns nobody else.
 */
export class Observation {
  readonly locks: LockTaken[] = []
  readonly rewrites: Omit<LockTaken, 'mode'>[] = []
  readonly #session: DirectSession
  readonly #before: ReadonlyMap<string, Relation>
  readonly #storage: Map<string, string>
  /** By earlier files of the same dry run. */
  readonly #held: ReadonlySet<string>
  readonly #seen = new Set<string>()

  private constructor(
    session: DirectSession,
    relations: readonly Relation[],
    held: readonly OwnLock[],
  ) {
    this.#session = session
    this.#held = new Set(held.map(nameOf))
    this.#before = new Map(relations.map((relation) => [relation.oid, relation]))
    this.#storage = new Map(relations.map(({ oid, storage }) => [oid, storage]))
  }

  /**
   * Looks at the schema as it is before, and at what the transaction holds already.
   *
   * @param existing the relations (by oid) that concern others, when not all that there are now do
   */
  static async begin(session: DirectSession, existing?: ReadonlySet<string>): Promise<Observation> {
    const all = await session.many(listRelations())
    const relations = existing ? all.filter(({ oid }) => existing.has(oid)) : all
    return new Observation(session, relations, await session.many(listOwnLocks()))
  }

  /**
   * Notes what the statement that has just run took; of what was held before, what it names.
   *
   * @param index its place in the script
   * @param named relations as `schema.name`
   */
  async note(index: number, named: ReadonlySet<string>): Promise<void> {
    for (const lock of await this.#session.many(listOwnLocks())) {
      const { oid, mode, storage } = lock
      const known = this.#before.get(oid)
      if (!known) continue
      const { relation, is_table } = known
      const isNew = !this.#held.has(nameOf(lock)) || named.has(relation)
      if (isNew && !this.#seen.has(nameOf(lock))) {
        this.locks.push({ relation, mode, statement: index })
        this.#seen.add(nameOf(lock))
      }
      if (storage === null || storage === this.#storage.get(oid)) continue
      this.#storage.set(oid, storage)
      if (is_table) this.rewrites.push({ relation, statement: index })
    }
  }
}

const nameOf = ({ oid, mode }: OwnLock): string => `${oid} ${mode}`
