import { createHash } from 'node:crypto'
import type { ConfirmedBy } from './confirmation.js'

/** One tool call as the audit remembers it; never its arguments, only their digest. */
export interface AuditedCall {
  readonly principal: string
  readonly request_id: string
  readonly tool: string
  readonly arguments_sha256: string
  /** `ok`, `replayed`, or the error's code. */
  readonly outcome: string
  readonly duration_ms: number
  readonly session_id: string | null
  readonly transaction_id: string | null
  /** Null for a call that needed no confirmation or did not get it. */
  readonly confirmed_by: ConfirmedBy | null
}

/** Names of arguments whose values must not even be in a digest, from which they could be guessed. */
const SECRET = /token|password|secret|credential/i

/** What a running call will leave in the audit. */
export class CallRecord {
  readonly #principal: string
  readonly #requestId: string
  readonly #tool: string
  readonly #digest: string
  readonly #startedAt = performance.now()
  sessionId: string | null = null
  transactionId: string | null = null
  /** Set once the call's effect has committed together with its entry. */
  isKept = false
  confirmedBy: ConfirmedBy | null = null

  constructor(call: {
    readonly principal: string
    readonly requestId: string
    readonly tool: string
    readonly arguments: unknown
  }) {
    this.#principal = call.principal
    this.#requestId = call.requestId
    this.#tool = call.tool
    this.#digest = digest(call.arguments)
  }

  /** The entry for a call that ended with this outcome. */
  entry(outcome: string): AuditedCall {
    return {
      principal: this.#principal,
      request_id: this.#requestId,
      tool: this.#tool,
      arguments_sha256: this.#digest,
      outcome,
      duration_ms: Math.round((performance.now() - this.#startedAt) * 1_000) / 1_000,
      session_id: this.sessionId,
      transaction_id: this.transactionId,
      confirmed_by: this.confirmedBy,
    }
  }
}

function digest(args: unknown): string {
  const known = Object.entries(Object(args)).filter(([name]) => !SECRET.test(name))
  return createHash('sha256')
    .update(textOf(Object.fromEntries(known)))
    .digest('hex')
}

/** Arguments nested too deeply to be written down are refused later; that they came is remembered. */
function textOf(value: unknown): string {
  try {
    return JSON.stringify(value)
  } catch (error) {
    if (error instanceof RangeError) return 'nested too deeply'
    throw error
  }
}
