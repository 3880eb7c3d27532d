import type { ErrorBody } from '../../errors.js'
import type { Caller } from '../../lib/caller.js'
import type { Question } from '../../lib/confirmation.js'
import type { Seen } from './snapshot.js'

/** In whose name something is done. */
export type Actor = Pick<Caller, 'principal' | 'owner' | 'scope' | 'signal'>

/** One call of a tool, as any client could make it. */
interface ToolCall {
  readonly tool: string
  readonly arguments: Readonly<Record<string, unknown>>
  /** The same call again is the same job. */
  readonly key: string
  /** Digest of what was agreed to, where the tool asks before it acts. */
  readonly agreedPlan?: string | null
}

/** What a call came to. */
export type Answer =
  | { readonly ok: true; readonly data: unknown }
  | { readonly ok: false; readonly error: ErrorBody }

/** How the assistant reaches everything: resources by their paths, tools by their names, like anybody else. */
export interface Hands {
  read(path: string, signal: AbortSignal): Promise<Seen<unknown>>
  /** What a tool would ask before this call; null when nothing, or when it is not served. */
  question(call: Pick<ToolCall, 'tool' | 'arguments'>, as: Actor): Promise<Question | null>
  /** Calls a tool; with `wait` until the end of its job, which ends with the signal. */
  call(call: ToolCall, as: Actor, wait: boolean): Promise<Answer>
}
