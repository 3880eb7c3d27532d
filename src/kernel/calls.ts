import type { AuditedCall } from '../lib/call-record.js'

/** Tells whoever asked of every tool call and how it ended. */
export class Calls {
  readonly #listeners: ((call: AuditedCall) => void)[] = []

  /** Calls `listener` right after each call; it must neither wait nor throw. */
  onCall(listener: (call: AuditedCall) => void): void {
    this.#listeners.push(listener)
  }

  /** A call ended. */
  ended(call: AuditedCall): void {
    for (const listener of this.#listeners) listener(call)
  }
}
