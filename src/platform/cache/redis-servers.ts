import type { ChainableCommander, Redis, RedisCommander, RedisOptions } from 'ioredis'

/** Adds commands on one key to those that are sent together. */
export type Write = (to: ChainableCommander) => ChainableCommander

/** Redis as the cache uses it: one server, or the primaries of a cluster. */
export interface RedisServers {
  /** For commands on one key, which reach the server that holds it. */
  readonly keyed: RedisCommander
  /** Every server that holds keys; rejects when one of them is not known to be there. */
  primaries(): Promise<Redis[]>
  connect(): Promise<void>
  /** Rejects unless all of them answer. */
  ping(): Promise<void>
  values(names: readonly string[]): Promise<(string | null)[]>
  /** Which of them exist, in their order. */
  exist(names: readonly string[]): Promise<boolean[]>
  /** Deletes without making others wait for freed memory; the number that existed. */
  unlink(names: readonly string[]): Promise<number>
  /** Takes effect in this order: together where one server can, else each key for itself. */
  write(first: readonly Write[], last: Write): Promise<void>
  on(event: 'connect' | 'ready' | 'close', listener: () => void): unknown
  on(event: 'error', listener: (error: unknown) => void): unknown
  disconnect(): void
}

/**
 * Keys of one step of a walk. Measured with a million keys and a PING loop beside it: at 1 000 keys one
 * PING in a hundred waits for 1.8 to 2.8 ms, at 250 for 0.4 to 1.2 ms, and the walk takes as long; at
 * 50 it takes three times as long.
 */
export const KEYS_PER_STEP = 250

/** A login, TLS and a time limit as the driver takes them. */
export type Access = Pick<RedisOptions, 'username' | 'password' | 'tls'> & {
  readonly timeoutMs: number
}

/** Longest wait before the next attempt to connect. */
export const MAX_RECONNECT_DELAY_MS = 1_000

/** Soon at first: a restart takes moments. */
export const reconnectDelay = (attempt: number): number =>
  Math.min(50 * 2 ** (attempt - 1), MAX_RECONNECT_DELAY_MS)

/**
 * Keeps the driver from writing to stderr, past the log, that a user may not run INFO. Only its check whether
 * a server is still loading asks with a callback; one that does not say is taken for loaded.
 */
export function quietLoadingCheck(redis: Redis): void {
  const { info } = redis
  const ask = (...args: unknown[]): unknown => {
    const answer = args.at(-1)
    if (typeof answer !== 'function') return Reflect.apply(info, redis, args)
    const quietly = (error: unknown, text: unknown): unknown =>
      isForbidden(error) ? answer(null, '') : answer(error, text)
    return Reflect.apply(info, redis, [...args.slice(0, -1), quietly])
  }
  Reflect.set(redis, 'info', ask)
}

const isForbidden = (error: unknown): boolean =>
  error instanceof Error && error.message.startsWith('NOPERM')

/** What holds for every connection: an answer in time, or none; nothing is sent a second time. */
export const perConnection = ({ timeoutMs, ...login }: Access) =>
  ({
    ...login,
    connectTimeout: timeoutMs,
    commandTimeout: timeoutMs,
    // A server that is frozen keeps its socket open. Dropping the socket makes the calls after the
    // first fail at once, until a new connection has passed the driver's ready check.
    socketTimeout: timeoutMs,
    // Sent and unanswered is unknown: repeating it after a reconnect could bring an old value back.
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    maxLoadingRetryTime: MAX_RECONNECT_DELAY_MS,
  }) satisfies RedisOptions
