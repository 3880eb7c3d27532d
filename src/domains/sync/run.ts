import type { Transaction } from '../../platform/postgres/queryable.js'

/** How a sync is run: batch by batch in transactions of its own, or all of it inside somebody's. */
export interface Run {
  inTransaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T>
  progress(done: number, total: number, message: string): void
}
