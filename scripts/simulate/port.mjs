// @ts-check
import { setTimeout as pause } from 'node:timers/promises'

/**
 * @typedef {object} Port how the simulation reaches the product; a refused call throws an error whose
 * `body` is what the product answered
 * @property {(name: string, args?: Record<string, unknown>) => Promise<any>} tool
 * @property {(uri: string) => Promise<any>} resource
 */

/** @typedef {{ calls: number, ms: number, slowest_ms: number }} Usage */

const MOST_TRIES = 6
const PAGE = 500
const JOB_WAIT_MS = 20_000

/** The calls of a simulation: counted, timed, and sent again when the product says that they may be. */
export class Line {
  /** @type {Map<string, Usage>} */
  usage = new Map()
  retried = 0
  #port

  /** @param {Port} port */
  constructor(port) {
    this.#port = port
  }

  /**
   * The answer of a tool.
   *
   * @param {string} name
   * @param {Record<string, unknown>} [args]
   */
  async tool(name, args = {}) {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#timed(name, () => this.#port.tool(name, args))
      } catch (error) {
        if (!isRetryable(error) || tries === MOST_TRIES) throw error
        this.retried++
        await pause(50 * 2 ** tries)
      }
    }
  }

  /**
   * The result of a long operation, waited for when it is not done at once.
   *
   * @param {string} name
   * @param {Record<string, unknown>} [args]
   */
  async job(name, args = {}) {
    const answer = await this.tool(name, args)
    if (answer.job_id === undefined) return answer
    for (;;) {
      const job = await this.tool('get_job', { job_id: answer.job_id, wait_ms: JOB_WAIT_MS })
      if (job.state === 'succeeded') return job.result
      if (job.error) throw new Error(`${name}: ${job.error.code}: ${job.error.message}`)
    }
  }

  /**
   * A resource.
   *
   * @param {string} uri
   */
  resource(uri) {
    return this.#timed(uri.replace(/\?.*/, ''), () => this.#port.resource(uri))
  }

  /**
   * Every item of a paged resource.
   *
   * @param {string} path
   * @param {string} field
   * @param {Record<string, string>} [filter]
   * @returns {Promise<any[]>}
   */
  async all(path, field, filter = {}) {
    const items = []
    /** @type {string | null} */
    let cursor = null
    do {
      const page = new URLSearchParams({
        ...filter,
        limit: String(PAGE),
        ...(cursor ? { cursor } : {}),
      })
      const answer = await this.resource(`${path}?${page}`)
      items.push(...answer[field])
      cursor = answer.next_cursor
    } while (cursor !== null)
    return items
  }

  /**
   * @template T
   * @param {string} name
   * @param {() => Promise<T>} call
   */
  async #timed(name, call) {
    const started = performance.now()
    try {
      return await call()
    } finally {
      const ms = performance.now() - started
      const usage = this.usage.get(name) ?? { calls: 0, ms: 0, slowest_ms: 0 }
      const slowest_ms = Math.max(usage.slowest_ms, ms)
      this.usage.set(name, { calls: usage.calls + 1, ms: usage.ms + ms, slowest_ms })
    }
  }
}

/**
 * Works on every lane, each in its own order, so many lanes at a time.
 *
 * @template T
 * @param {Iterable<T>} lanes
 * @param {number} atOnce
 * @param {(lane: T) => Promise<void>} work
 */
export async function inLanes(lanes, atOnce, work) {
  const waiting = lanes[Symbol.iterator]()
  const worker = async () => {
    for (let next = waiting.next(); !next.done; next = waiting.next()) await work(next.value)
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
}

/** @type {(error: unknown) => boolean} */
const isRetryable = (error) =>
  error instanceof Error &&
  'body' in error &&
  /** @type {{ retryable?: boolean } | null} */ (error.body)?.retryable === true
