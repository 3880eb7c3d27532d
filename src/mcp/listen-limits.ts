import { CLIENT_INFO_META_KEY, isJSONRPCRequest } from '@modelcontextprotocol/server'
import { AppError } from '../errors.js'
import { toProtocolError } from './protocol-errors.js'

/** How much one client may listen to at a time. */
export interface ListenLimit {
  /** Resources of one connection or stream. */
  readonly subscriptions: number
  /** Streams of the 2026 era. */
  readonly streams: number
}

/** Whether a message asks for a stream of notifications, as clients of the 2026 era do. */
export const isListening = (message: unknown): boolean =>
  Object(message).method === 'subscriptions/listen'

/** Counts the streams of each client, and refuses what is more than its share before the SDK opens it. */
export class ListenLimits {
  readonly #limit: ListenLimit
  /** What each holds, one key for a stream. */
  readonly #held = new Map<string, Set<unknown>>()

  constructor(limit: ListenLimit) {
    this.#limit = limit
  }

  /**
   * Counts a stream of `client` until `release(client, stream)`; answers the refusal when it may have no
   * more, as JSON-RPC says it.
   */
  take(client: string, stream: unknown, message: unknown) {
    const streams = this.#held.get(client) ?? new Set()
    if (uriCount(message) > this.#limit.subscriptions) {
      return refusal(message, 'More resources than one stream may subscribe to.', false)
    }
    if (streams.size >= this.#limit.streams && !streams.has(stream)) {
      return refusal(message, 'As many streams as one client may listen to.', true)
    }
    this.#held.set(client, streams.add(stream))
    return null
  }

  /** Says that a stream has ended; of one that was never counted, nothing. */
  release(client: string, stream: unknown): void {
    const streams = this.#held.get(client)
    streams?.delete(stream)
    if (streams?.size === 0) this.#held.delete(client)
  }
}

/** What a client calls itself: over HTTP nothing else tells the clients of one principal apart. */
export const clientOf = (message: unknown): string => {
  const { name, version } = Object(
    Object(Object(Object(message).params)._meta)[CLIENT_INFO_META_KEY],
  )
  return JSON.stringify([String(name), String(version)])
}

function uriCount(message: unknown): number {
  const { resourceSubscriptions } = Object(Object(Object(message).params).notifications)
  return Array.isArray(resourceSubscriptions) ? resourceSubscriptions.length : 0
}

function refusal(request: unknown, message: string, retryable: boolean) {
  const hint = 'End what you no longer listen to, or listen to events/{type} instead.'
  const error = new AppError('rate_limited', message, { hint, retryable })
  const { code, message: text, data } = toProtocolError('', error)
  const id = isJSONRPCRequest(request) ? request.id : undefined
  return { jsonrpc: '2.0' as const, id, error: { code, message: text, data } }
}
