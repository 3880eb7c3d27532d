import type { DirectSession } from '../../platform/postgres/direct.js'
import type { LockTaken, Rewrite } from './report.js'
import * as statements from './session.sql.js'

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
  readonly #seen = new Set<string>()

  private constructor(session: DirectSession, relations: readonly statements.Relation[]) {
    this.#session = session
    this.#before = new Map(relations.map((relation) => [relation.oid, relation]))
    this.#storage = new Map(relations.map(({ oid, storage }) => [oid, storage]))
  }

  /** Looks at the schema as it is before. */
  static async begin(session: DirectSession): Promise<Observation> {
    return new Observation(session, await session.many(statements.listRelations()))
  }

  /** Notes what the statement that has just run took. */
  async note(statement: number): Promise<void> {
    for (const { oid, mode, storage } of await this.#session.many(statements.listOwnLocks())) {
      const known = this.#before.get(oid)
      if (!known) continue
      const { relation, is_table } = known
      const key = `${oid} ${mode}`
      if (!this.#seen.has(key)) this.locks.push({ relation, mode, statement })
      this.#seen.add(key)
      const isReplaced = storage !== null && storage !== this.#storage.get(oid)
      if (!isReplaced) continue
      this.#storage.set(oid, storage)
      if (is_table) this.rewrites.push({ relation, statement })
    }
  }
}
