import type { Endpoint } from '../connection.js'
import type { DirectSession } from '../direct.js'
import { migratorOf, prepareRoles } from './roles.js'
import type { ScriptLogin, ScriptPlace } from './script-login.js'

/** The operator's own hand: scripts run as the role of the product, and what they make is handed over. */
export class OperatorLogin implements ScriptLogin {
  readonly #endpoint: Endpoint
  readonly #migrator: string

  /** @param given the login of the scripts of clients, where the operator names one */
  constructor(endpoint: Endpoint, given: Endpoint | null = null) {
    this.#endpoint = endpoint
    this.#migrator = migratorOf(given)
  }

  async prepare(runner: DirectSession): Promise<void> {
    await prepareRoles(runner, this.#migrator)
  }

  async place(runner: DirectSession): Promise<ScriptPlace> {
    const { exists } = await prepareRoles(runner, this.#migrator)
    return {
      endpoint: this.#endpoint,
      login: null,
      heir: exists ? this.#migrator : null,
      limitedTo: null,
      admit: () => Promise.resolve(),
      refused: (error) => error,
    }
  }
}
