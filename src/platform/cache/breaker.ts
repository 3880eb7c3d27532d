import {
  BrokenCircuitError,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  handleAll,
} from 'cockatiel'
import type { BreakerState } from './cache-store.js'

/** So many calls in a row without an answer are no coincidence. */
const FAILURES = 5
/** How soon one caller tries again on behalf of all. */
const PROBE_AFTER_MS = 1_000

const STATES: Readonly<Record<CircuitState, BreakerState>> = {
  [CircuitState.Closed]: 'closed',
  [CircuitState.Open]: 'open',
  [CircuitState.Isolated]: 'open',
  [CircuitState.HalfOpen]: 'half_open',
}

/** Whether an error came from the breaker itself: the call was not made. */
export const isBroken = (error: unknown): boolean => error instanceof BrokenCircuitError

/**
 * Keeps callers from an engine that does not answer: they are told so at once, and one of them a
 * second finds out when it is back. A refusal is an answer.
 */
export class Breaker {
  readonly #isAnswer: (error: unknown) => boolean
  readonly #circuit = circuitBreaker(handleAll, {
    halfOpenAfter: PROBE_AFTER_MS,
    breaker: new ConsecutiveBreaker(FAILURES),
  })

  constructor(isAnswer: (error: unknown) => boolean) {
    this.#isAnswer = isAnswer
  }

  get state(): BreakerState {
    return STATES[this.#circuit.state]
  }

  /** Runs `call` unless the engine is known not to answer. */
  async execute<T>(call: () => Promise<T>): Promise<T> {
    const outcome = await this.#circuit.execute(async () => {
      try {
        return { value: await call() }
      } catch (error) {
        if (this.#isAnswer(error)) return { refusal: error }
        throw error
      }
    })
    if ('refusal' in outcome) throw outcome.refusal
    return outcome.value
  }
}
