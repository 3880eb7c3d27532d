/**
 * How bad a finding is: `error` is refused always, `block` needs a confirmation or a reason in the
 * file, `warn` and `info` only speak.
 */
export type Severity = 'error' | 'block' | 'warn' | 'info'

/** What the linter says of one statement. */
export interface Finding {
  readonly rule: string
  readonly severity: Severity
  /** The place of the statement in the script, from 1. */
  readonly statement: number
  readonly line: number
  readonly message: string
  /** Such as `ACCESS EXCLUSIVE on public.trades`. */
  readonly lock: string | null
  /** What waits while the lock is held. */
  readonly blocks: string | null
  /** The safe way to the same end. */
  readonly rewrite: string | null
  readonly docs: string | null
}
