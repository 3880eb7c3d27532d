import type { EventFacts, EventType } from '../../events.js'
import type { CacheType, Marks } from '../../lib/marks.js'
import type { Ref } from '../../lib/refs.js'
import type { AuditEntry } from './audit-trail.sql.js'
import type { Statement } from './sql.js'

/** Where statements can be run. */
export interface Queryable {
  /** All rows. */
  many<Row>(statement: Statement<Row>): Promise<Row[]>
  /** The first row, or null when there is none. */
  maybeOne<Row>(statement: Statement<Row>): Promise<Row | null>
  /** The first row; an error when there is none. */
  one<Row>(statement: Statement<Row>): Promise<Row>
  /** The number of rows changed. */
  run(statement: Statement<unknown>): Promise<number>
}

/** What is to be done last in a transaction that stays open over several calls. */
export type BeforeCommit = (tx: Transaction) => Promise<void>

/** An open transaction: what runs here is committed together or not at all. */
export interface Transaction extends Queryable {
  /** Aborted when the caller went away or the deadline passed. */
  readonly signal: AbortSignal
  /**
   * Null when the transaction commits right after this work. Otherwise a client holds it open, for
   * minutes perhaps: locks that others would wait for are then taken in `beforeCommit`, where what
   * has been committed meanwhile is checked again.
   */
  readonly held: { beforeCommit(work: BeforeCommit): void } | null
  /** `COPY … FROM STDIN` of lines in PostgreSQL's text format; resolves when the server has all. */
  copyIn(statement: Statement<never>, lines: Iterable<string>): Promise<void>
  /**
   * Writes an event into the outbox; `db.transaction` with all that was mentioned. It is published after this transaction has committed. The audit
   * entry of the call whose effect it reports, if any, is written in the same round trip.
   */
  emit<T extends EventType>(type: T, data: EventFacts<T>, audit?: AuditEntry): Promise<void>
  /**
   * Notes that cached values of these symbols (null: of no symbol) are outdated by what is written
   * here. Whoever commits must emit `touched` with `db.transaction`, or the commit is refused.
   */
  touch(type: CacheType, symbols: Iterable<string | null>): void
  /** What was noted; undefined while that is nothing. */
  readonly touched: Marks | undefined
  /** Notes that this changed, for the event that will report the commit. */
  mention(refs: Iterable<Ref>): void
  /** What was noted. */
  readonly refs: readonly Ref[]
  /** PostgreSQL's own id of this transaction. */
  id(): Promise<string>
}
