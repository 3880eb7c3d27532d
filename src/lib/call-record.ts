import { createHash } from 'node:crypto'
import { canonicalJson } from './canonical-json.js'
import type { ConfirmedBy, Question } from './confirmation.js'

/** One tool call as the audit remembers it; never its arguments, only their digest. */
export interface AuditedCall {
  readonly principal: string
  readonly request_id: string
  readonly tool: string
  readonly arguments_sha256: string
  /** `ok`, `replayed`, `running`, `intended` before a confirmed call acts, or the error's code. */
  readonly outcome: string
  /** More than one where calls are only counted. */
  readonly calls: number
  readonly duration_ms: number
  readonly session_id: string | null
  readonly transaction_id: string | null
  /** Null for a call that needed no confirmation or did not get it. */
  readonly confirmed_by: ConfirmedBy | null
  /** What was agreed to, or the rule and fingerprint of what was refused, as JSON. */
  readonly plan: string | null
}

/** Names of arguments whose values must not even be in a digest, from which they could be guessed. */
const SECRET = /token|password|secret|credential/i

const MAX_NAME = 128

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
  /** The rule that a statement of the caller's did not pass; it is kept even where calls are only counted. */
  refusal: { readonly rule: string; readonly fingerprint: string } | null = null

  constructor(call: {
    readonly principal: string
    readonly requestId: string
    readonly tool: string
    readonly arguments: unknown
  }) {
    this.#principal = call.principal
    this.#requestId = call.requestId
    this.#tool = printable(call.tool)
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
      calls: 1,
      duration_ms: Math.round((performance.now() - this.#startedAt) * 1_000) / 1_000,
      session_id: this.sessionId,
      transaction_id: this.transactionId,
      confirmed_by: this.confirmedBy,
      plan: this.refusal ? canonicalJson(this.refusal) : null,
    }
  }

  /** The entry to be committed before a confirmed call acts. */
  intent(confirmedBy: ConfirmedBy, plan: Question['plan']): AuditedCall {
    return { ...this.entry('intended'), confirmed_by: confirmedBy, plan: canonicalJson(plan) }
  }
}

/** A name that nobody serves may be any text; one that the database cannot store would stop the audit. */
const printable = (name: string): string => name.slice(0, MAX_NAME).replaceAll(/[^\x20-\x7e]/g, '?')

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
