import type { AuditedCall } from '../../lib/call-record.js'

interface Heard {
  readonly ms: number
  readonly durationMs: number
  readonly isError: boolean
}

/** How many calls are remembered for their times: of more in a minute these are enough. */
const MOST = 10_000
const MINUTE_MS = 60_000
const WELL = ['ok', 'replayed', 'running']

/** Counts the tool calls of the last minute. */
export class CallTally {
  readonly #startedAt = performance.now()
  #heard: Heard[] = []

  /** A call ended. */
  ended({ outcome, duration_ms }: AuditedCall): void {
    this.#heard.push({
      ms: performance.now(),
      durationMs: duration_ms,
      isError: !WELL.includes(outcome),
    })
    if (this.#heard.length > MOST) this.#heard.splice(0, MOST / 10)
  }

  /** Calls, those of them that failed, and their 95th percentile in milliseconds (null without any), in a minute. */
  get minute() {
    const now = performance.now()
    this.#heard = this.#heard.filter(({ ms }) => now - ms <= MINUTE_MS)
    const times = this.#heard.map(({ durationMs }) => durationMs).sort((a, b) => a - b)
    // Before a minute is over, what there is stands for all of it.
    const share = Math.min(1, Math.max(1_000, now - this.#startedAt) / MINUTE_MS)
    return {
      calls: this.#heard.length / share,
      errors: this.#heard.filter(({ isError }) => isError).length / share,
      p95Ms: times[Math.ceil(times.length * 0.95) - 1] ?? null,
    }
  }
}
