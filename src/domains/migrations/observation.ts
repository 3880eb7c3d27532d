import type { DirectSession } from '../../platform/postgres/direct.js'
import type { ScriptStatement } from '../../platform/sql-parser/syntax.js'
import { namedRelations } from './lint/named-relations.js'
import { keyOf } from './lint/relation-name.js'
import type { LockTaken, Rewrite } from './report.js'
import * as statements from './session.sql.js'

interface Observed {
  readonly session: DirectSession
  /** Relations that concern others, when not all that there are now do. */
  readonly existing?: ReadonlySet<string>
}

/**
 * Sees, statement by statement inside one transaction, which relations that were there before it are
 * locked and which tables get new storage. What the transaction itself creates concerns nobody else.
 */
export class Observation {
  readonly locks: LockTaken[] = []
  readonly rewrites: Rewrite[] = []
  readonly #session: DirectSession
  readonly #before: ReadonlyMap<string, statements.Relation>
  readonly #storage: Map<string, string>
  /** By earlier files of the same dry run. */
  readonly #held: ReadonlySet<string>
  readonly #seen = new Set<string>()

  private constructor(
    session: DirectSession,
    relations: readonly statements.Relation[],
    held: readonly statements.OwnLock[],
  ) {
    this.#session = session
    this.#held = new Set(held.map(nameOf))
    this.#before = new Map(relations.map((relation) => [relation.oid, relation]))
    this.#storage = new Map(relations.map(({ oid, storage }) => [oid, storage]))
  }

  /** Looks at the schema as it is before, and at what the transaction holds already. */
  static async begin({ session, existing }: Observed): Promise<Observation> {
    const all = await session.many(statements.listRelations())
    const relations = existing ? all.filter(({ oid }) => existing.has(oid)) : all
    return new Observation(session, relations, await session.many(statements.listOwnLocks()))
  }

  /** Notes what the statement that has just run took; of what was held before, what it names. */
  async note({ statement }: { readonly statement: ScriptStatement }): Promise<void> {
    const { index } = statement
    const named = new Set(namedRelations([statement]).map(keyOf))
    for (const lock of await this.#session.many(statements.listOwnLocks())) {
      const { oid, mode, storage } = lock
      const known = this.#before.get(oid)
      if (!known) continue
      const { relation, is_table } = known
      const isNew = !this.#held.has(nameOf(lock)) || named.has(relation)
      if (isNew && !this.#seen.has(nameOf(lock))) {
        this.locks.push({ relation, mode, statement: index })
        this.#seen.add(nameOf(lock))
      }
      const isReplaced = storage !== null && storage !== this.#storage.get(oid)
      if (!isReplaced) continue
      this.#storage.set(oid, storage)
      if (is_table) this.rewrites.push({ relation, statement: index })
    }
  }
}

const nameOf = ({ oid, mode }: statements.OwnLock): string => `${oid} ${mode}`
