import type { EventFacts, EventType } from '../../events.js'
import type { CacheType, Marks } from '../../lib/marks.js'
import type { Ref } from '../../lib/refs.js'
import type { AuditEntry } from '../../platform/postgres/audit-trail.sql.js'
import type { BeforeCommit, Transaction } from '../../platform/postgres/queryable.js'
import type { Statement } from '../../platform/postgres/sql.js'

/** A session's transaction as one of its operations sees it: it will not commit right after. */
export class HeldTransaction implements Transaction {
  readonly signal: AbortSignal
  readonly held: { beforeCommit(work: BeforeCommit): void }
  readonly #tx: Transaction

  constructor(tx: Transaction, beforeCommit: (work: BeforeCommit) => void) {
    this.#tx = tx
    this.signal = tx.signal
    this.held = { beforeCommit }
  }

  many<Row>(statement: Statement<Row>): Promise<Row[]> {
    return this.#tx.many(statement)
  }

  maybeOne<Row>(statement: Statement<Row>): Promise<Row | null> {
    return this.#tx.maybeOne(statement)
  }

  one<Row>(statement: Statement<Row>): Promise<Row> {
    return this.#tx.one(statement)
  }

  run(statement: Statement<unknown>): Promise<number> {
    return this.#tx.run(statement)
  }

  copyIn(statement: Statement<never>, lines: Iterable<string>): Promise<void> {
    return this.#tx.copyIn(statement, lines)
  }

  emit<T extends EventType>(type: T, data: EventFacts<T>, audit?: AuditEntry): Promise<void> {
    return this.#tx.emit(type, data, audit)
  }

  touch(type: CacheType, symbols: Iterable<string | null>): void {
    this.#tx.touch(type, symbols)
  }

  get touched(): Marks | undefined {
    return this.#tx.touched
  }

  mention(refs: Iterable<Ref>): void {
    this.#tx.mention(refs)
  }

  get refs(): readonly Ref[] {
    return this.#tx.refs
  }

  id(): Promise<string> {
    return this.#tx.id()
  }
}
