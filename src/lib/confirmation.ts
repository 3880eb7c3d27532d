import { createHash } from 'node:crypto'
import { canonicalJson } from './canonical-json.js'

/** What a destructive call is about to do, for whoever decides whether it may. */
export interface Question {
  /** One or two sentences for a person: what will be lost, and what else they should know. */
  readonly message: string
  /** The same for a program, exact: another plan needs another confirmation. */
  readonly plan: Readonly<Record<string, unknown>>
}

/** One call that waits for a confirmation: its caller, its tool, and a digest of its arguments and plan. */
export interface ConfirmationClaim {
  readonly principal: string
  readonly tool: string
  readonly digest: string
}

/** The right to make one call, once. */
export interface ConfirmationTicket {
  readonly confirm_token: string
  readonly expires_at: string
}

/** How a confirmation came: the user answered the host's question, or the token was sent with the call. */
export type ConfirmedBy = 'elicitation' | 'token'

/** What became of a question that was put to the user. */
export interface ConfirmationReply {
  readonly token: string
  /** `unanswered` when the user said no or was never asked: hosts do not tell these apart. */
  readonly verdict: 'accepted' | 'declined' | 'unanswered'
}

/** SHA-256 in hex of a value's canonical JSON: equal plans have equal digests. */
export const digestOf = (value: unknown): string =>
  createHash('sha256').update(canonicalJson(value)).digest('hex')
