import type { CallRecord } from './call-record.js'
import type { Scope } from './scope.js'

/** Who is calling, and how to reach them while their request runs. */
export interface Caller {
  /** Whose effects these are: idempotency keys and audit are kept per principal. */
  readonly principal: string
  /** Who holds handles such as database sessions: the principal over HTTP, the process on stdio. */
  readonly owner: string
  /** What of the tools they are served. */
  readonly scope: Scope
  readonly requestId: string
  /** Aborted when the request is cancelled, its connection is dropped, or its deadline passes. */
  readonly signal: AbortSignal
  /** What the audit will say of this call; null for reads of resources. */
  readonly record: CallRecord | null
  /** Digest of the plan that was confirmed for this call; null when nothing had to be. */
  readonly confirmedPlan: string | null
  /** Tells the caller how far the work is; does nothing when nobody asked. */
  progress(done: number, total: number, message: string): void
}

/** One call of a persisting tool, to be applied exactly once. */
export interface UnitOfWork {
  readonly tool: string
  readonly arguments: unknown
  readonly idempotencyKey: string | null
  readonly sessionId: string | null
}

/** One operation of a transaction as a client asks for it: a persisting tool, or a read. */
export type RequestedOperation =
  | { readonly tool: string; readonly params: Readonly<Record<string, unknown>> }
  | { readonly resource: string }
