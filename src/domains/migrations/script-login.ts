import type { Endpoint } from '../../platform/postgres/connection.js'
import type { DirectSession, Login } from '../../platform/postgres/direct.js'

/** Where a script connects to, and as whom when it is not who the endpoint says. */
export interface ScriptPlace {
  readonly endpoint: Endpoint
  readonly login: Login | null
  /**
   * Looks at the connection before anything runs on it.
   *
   * @throws AppError `permission_denied` when scripts must not run as its role
   */
  admit(session: DirectSession): Promise<void>
}

/** As whom scripts run. */
export interface ScriptLogin {
  /**
   * The place of the next script.
   *
   * @throws AppError `permission_denied` when there is nobody it may run as
   */
  place(runner: DirectSession): Promise<ScriptPlace>
}

/** The operator's own hand: scripts run as the role of the product itself. */
export const asOperator = (endpoint: Endpoint): ScriptLogin => ({
  place: () => Promise.resolve({ endpoint, login: null, admit: () => Promise.resolve() }),
})
