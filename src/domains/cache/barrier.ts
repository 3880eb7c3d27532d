import { type LogSight, sightLog } from '../../platform/postgres/event-log.sql.js'
import type { OwnConnection } from '../../platform/postgres/own-connection.js'
import { type Outdated, SIGHT_LIMIT, type Sight } from './outdated.js'

interface BarrierDeps {
  /** Its own: a full pool must not keep readers of the cache waiting. */
  readonly connection: Pick<OwnConnection, 'many'>
  readonly outdated: Outdated
}

/**
 * Tells readers what has been outdated by the time they came. Those who wait at one moment share one
 * look at the log; nobody shares one that began before he came.
 */
export class Barrier {
  readonly #deps: BarrierDeps
  #waiting: Promise<Sight> | null = null
  #running: Promise<unknown> = Promise.resolve()

  constructor(deps: BarrierDeps) {
    this.#deps = deps
  }

  /**
   * Looks at the log once more.
   *
   * @throws AppError when PostgreSQL does not answer
   */
  pass(): Promise<Sight> {
    if (this.#waiting) return this.#waiting
    const sight = this.#running.then(() => this.#look())
    this.#waiting = sight
    this.#running = sight.catch(() => {})
    return sight
  }

  async #look(): Promise<Sight> {
    // Who comes from here on did not come before this look.
    this.#waiting = null
    const { connection, outdated } = this.#deps
    const [sight] = await connection.many<LogSight>(sightLog(outdated.position, SIGHT_LIMIT))
    if (!sight) throw new Error('a statement that must return a row returned none')
    return outdated.learn(sight)
  }
}
