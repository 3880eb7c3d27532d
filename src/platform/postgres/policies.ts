import {
  BrokenCircuitError,
  ConsecutiveBreaker,
  circuitBreaker,
  ExponentialBackoff,
  handleWhen,
  retry,
} from 'cockatiel'
import { AppError } from '../../errors.js'
import {
  isLockTimeout,
  isPoolExhausted,
  isSerializationFailure,
  LostConnection,
  unreachable,
} from './errors.js'

/** Rollbacks by PostgreSQL, whether it said so or went away before the commit. */
const isUndone = (error: unknown): boolean =>
  error instanceof LostConnection || isSerializationFailure(error)

/** Jittered, so that transactions which met once do not meet again. */
const units = retry(handleWhen(isUndone), {
  maxAttempts: 3,
  backoff: new ExponentialBackoff({ initialDelay: 20, maxDelay: 500 }),
})

/**
 * Runs a unit of work that is wholly ours, and again when PostgreSQL has undone it: at most three
 * times more, within about a second, and not once the caller has gone.
 */
export const repeatWhenUndone = <T>(signal: AbortSignal, unit: () => Promise<T>): Promise<T> =>
  units.execute(unit, signal)

/** A queued ALTER blocks every later reader of its table, so waits are short and repeated instead. */
const waits = retry(
  handleWhen((error) => isLockTimeout(error) || isSerializationFailure(error)),
  { maxAttempts: 9, backoff: new ExponentialBackoff({ initialDelay: 200, maxDelay: 2_000 }) },
)

/**
 * Runs a unit of work whose locks were not free, and again, at most nine times more within about ten
 * seconds of pauses; `attempt` counts from 0. Once the signal is aborted the last failure is final.
 */
export const repeatWhenLocked = <T>(
  signal: AbortSignal,
  unit: (attempt: number) => Promise<T>,
): Promise<T> => waits.execute(({ attempt }) => unit(attempt), signal)

/** So many connections in a row that could not be made are no coincidence. */
const FAILURES = 3
/** How soon one caller tries again on behalf of all. */
const PROBE_AFTER_MS = 1_000

/**
 * Keeps callers from a database that is not there: they are told so at once, and one of them a second
 * finds out when it is back. A pool whose connections are all busy is no such failure.
 */
export class Gate {
  readonly #breaker = circuitBreaker(handleWhen(isAway), {
    halfOpenAfter: PROBE_AFTER_MS,
    breaker: new ConsecutiveBreaker(FAILURES),
  })
  /** Why the database is away, which those who are kept from it are told. */
  #reason: unknown = null

  /** Runs `connect` unless the database is known to be away. */
  async pass<T>(connect: () => Promise<T>): Promise<T> {
    try {
      return await this.#breaker.execute(connect)
    } catch (error) {
      if (error instanceof BrokenCircuitError) throw unreachable(this.#reason)
      this.#reason = error
      throw error
    }
  }
}

const isAway = (error: unknown): boolean =>
  error instanceof AppError && error.code === 'unavailable' && !isPoolExhausted(error.cause)
