/** What the server says of a call that it refused. */
export interface ToolErrorBody {
  /** One of a closed list, such as `invalid_input` or `confirmation_required`. */
  readonly code: string
  readonly message: string
  /** The next step; null when there is none. */
  readonly hint: string | null
  /** The same call may be sent again. */
  readonly retryable: boolean
  /** Finds the details in the server's log. */
  readonly reference: string
  readonly retry_after_ms?: number
  /** Of `confirmation_required`: what is to be confirmed, and the token that does it. */
  readonly plan?: Readonly<Record<string, unknown>>
  readonly confirm_token?: string
}

/** A call that the server refused, or a job that failed. */
export class ToolError extends Error {
  readonly code: string
  readonly hint: string | null
  readonly retryable: boolean
  readonly body: ToolErrorBody

  constructor(tool: string, body: ToolErrorBody) {
    const what = /[.!?]$/.test(body.message) ? body.message : `${body.message}.`
    super(`${tool}: ${what}${body.hint ? ` ${body.hint}` : ''}`)
    this.name = 'ToolError'
    this.code = body.code
    this.hint = body.hint
    this.retryable = body.retryable
    this.body = body
  }
}
