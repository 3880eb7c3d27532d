import type { ConfirmationTicket } from './lib/confirmation.js'
import type { JobFailure } from './lib/job.js'

/**
 * The closed list of failures a client can see, each with whether the same call may simply be sent
 * again and the JSON-RPC code it has as a protocol error. Codes of our own stay outside
 * -32768..-32000, which JSON-RPC and MCP reserve.
 */
export const ERROR_CODES = {
  invalid_input: { retryable: false, jsonRpc: -32602 },
  not_found: { retryable: false, jsonRpc: -32602 },
  conflict: { retryable: false, jsonRpc: 1001 },
  precondition_failed: { retryable: false, jsonRpc: 1002 },
  permission_denied: { retryable: false, jsonRpc: 1003 },
  session_expired: { retryable: false, jsonRpc: 1004 },
  session_lost: { retryable: false, jsonRpc: 1005 },
  timeout: { retryable: true, jsonRpc: 1006 },
  cancelled: { retryable: true, jsonRpc: 1007 },
  unavailable: { retryable: true, jsonRpc: 1008 },
  not_supported: { retryable: false, jsonRpc: 1009 },
  integrity_violation: { retryable: false, jsonRpc: 1010 },
  outcome_unknown: { retryable: true, jsonRpc: 1011 },
  rate_limited: { retryable: true, jsonRpc: 1012 },
  confirmation_required: { retryable: false, jsonRpc: 1013 },
  internal_error: { retryable: false, jsonRpc: -32603 },
} as const

/** One of the codes a client can see. */
export type ErrorCode = keyof typeof ERROR_CODES

/** What has to be confirmed, and how. */
interface Confirmation extends ConfirmationTicket {
  readonly plan: Readonly<Record<string, unknown>>
}

/**
 * What a client receives about a failure; `reference` finds the details in the server's log. With
 * `confirmation_required` come the plan and the token that confirms it.
 */
export interface ErrorBody extends Partial<Confirmation> {
  readonly code: ErrorCode
  readonly message: string
  readonly hint: string | null
  readonly retryable: boolean
  readonly reference: string
  /** Of `rate_limited`: when the same call may be sent again. */
  readonly retry_after_ms?: number
}

interface AppErrorOptions {
  /** The next step for the caller. */
  readonly hint?: string
  /** What mends it, for who runs a server or a command, where that is no call to repeat. */
  readonly fix?: string
  /** Overrides the code's usual answer to "may the same call be sent again?". */
  readonly retryable?: boolean
  readonly cause?: unknown
  /** Of `rate_limited`, where it is known. */
  readonly retryAfterMs?: number
  /** Where the log has the details, when that is another request than the one being answered. */
  readonly reference?: string
  /** Of `confirmation_required`. */
  readonly confirmation?: Confirmation
}

/** A failure whose message is written for the client. Any other error is shown as `internal_error`. */
export class AppError extends Error {
  readonly code: ErrorCode
  readonly hint: string | null
  readonly fix: string | null
  readonly retryable: boolean
  readonly reference: string | null
  readonly confirmation: Confirmation | null
  readonly retryAfterMs: number | null

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'AppError'
    this.code = code
    this.hint = options.hint ?? null
    this.fix = options.fix ?? this.hint
    this.retryable = options.retryable ?? ERROR_CODES[code].retryable
    this.reference = options.reference ?? null
    this.confirmation = options.confirmation ?? null
    this.retryAfterMs = options.retryAfterMs ?? null
  }
}

/** A text cannot be stored or looked for, because the encoding of the database lacks a character. */
export class LackingCharacter extends AppError {
  readonly character: string
  /** The field it came in; null while that is not known. */
  readonly field: string | null

  constructor(
    character: string,
    cause: unknown,
    { field = null, isRead = false }: { field?: string | null; isRead?: boolean } = {},
  ) {
    super('invalid_input', `${field ?? 'a text'}: ${lacks(character)}`, {
      hint: `${isRead ? 'So nothing stored has it' : 'Nothing was written'}. Leave the character out, or move to a database with the encoding UTF8: "catalyst-db doctor" says how.`,
      cause,
    })
    this.character = character
    this.field = field
  }
}

/** Why a text with this character is refused; the character itself may be anything, so it is not repeated. */
export const lacks = (character: string): string =>
  `the encoding of the database lacks the character U+${(character.codePointAt(0) ?? 0xfffd)
    .toString(16)
    .toUpperCase()
    .padStart(4, '0')}`

/** What a client is shown of a failure; of one that nobody expected, only where to look. */
export function toErrorBody(error: unknown, reference: string): ErrorBody {
  if (error instanceof AppError) {
    const { code, message, hint, retryable, confirmation } = error
    return {
      code,
      message,
      hint,
      retryable,
      reference: error.reference ?? reference,
      ...(error.retryAfterMs === null ? {} : { retry_after_ms: error.retryAfterMs }),
      ...confirmation,
    }
  }
  return {
    code: 'internal_error',
    message: 'The server failed in a way it did not expect.',
    hint: `Look for ${reference} in the server's log.`,
    retryable: false,
    reference,
  }
}

/** A failure that was stored when it happened, to be shown now. */
export function recallError(stored: JobFailure): AppError {
  const { code, message, hint, retryable, reference } = stored
  const known = isErrorCode(code) ? code : 'internal_error'
  return new AppError(known, message, { retryable, reference, ...(hint === null ? {} : { hint }) })
}

const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(ERROR_CODES, code)

/** Why a signal was aborted, as a failure for the client: the deadline's own error, else `cancelled`. */
export const abortError = (signal: AbortSignal): AppError =>
  signal.reason instanceof AppError
    ? signal.reason
    : new AppError('cancelled', 'The call was cancelled; nothing was written.', {
        cause: signal.reason,
      })
