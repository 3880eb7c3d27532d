/** What a refused call or read says. */
export interface Refusal {
  readonly code: string
  readonly message: string
  readonly hint?: string | null
  readonly confirm_token?: string
  readonly plan?: Readonly<Record<string, unknown>>
  readonly retry_after_ms?: number
}

/** The server answered, and said no. */
export class Refused extends Error {
  readonly refusal: Refusal

  constructor(refusal: Refusal) {
    super(refusal.message)
    this.refusal = refusal
  }
}

/** Nobody answers. */
export class Unreachable extends Error {}

/** The server wants to know who asks. */
export class SignedOut extends Error {}

/** Where the page reads and what it calls: MCP, whichever way its messages travel. */
export interface Source {
  /** The JSON of a resource. */
  read(path: string): Promise<unknown>
  /** The structured answer of a tool. */
  call(tool: string, args: Readonly<Record<string, unknown>>): Promise<Record<string, unknown>>
  /** Tells of resources that have another answer now, until the stream ends. */
  listen(
    paths: readonly string[],
    told: { readonly began: () => void; readonly changed: (path: string) => void },
    signal: AbortSignal,
  ): Promise<void>
}
