import type { Commit, Hearing } from '../platform/postgres/lease.js'

/** Tells whoever asked of every commit of this server, and of every statement that failed. */
export class Commits implements Hearing {
  readonly #onCommit: ((commit: Commit) => void)[] = []
  readonly #onFailure: ((error: unknown) => void)[] = []

  /** Calls `listener` right after each commit that wrote something; it must neither wait nor throw. */
  onCommit(listener: (commit: Commit) => void): void {
    this.#onCommit.push(listener)
  }

  /** Calls `listener` with why a statement or a commit failed. */
  onFailure(listener: (error: unknown) => void): void {
    this.#onFailure.push(listener)
  }

  committed(commit: Commit): void {
    for (const listener of this.#onCommit) listener(commit)
  }

  failed(error: unknown): void {
    for (const listener of this.#onFailure) listener(error)
  }
}
