import type { AppError } from '../../../errors.js'
import type { Endpoint } from '../connection.js'
import type { DirectSession, Login } from '../direct.js'

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
  /** What is told when the role is not let in. */
  refused(error: AppError): AppError
  /** Who is to own what the script makes; null where that is who runs it. */
  readonly heir: string | null
  /** Whose everything has to be that the script changes; null where it may be anybody's. */
  readonly limitedTo: string | null
}

/** As whom scripts run. */
export interface ScriptLogin {
  /** Makes what roles are missing, where the product may; to be called when a server starts. */
  prepare(runner: DirectSession): Promise<void>
  /**
   * The place of the next script.
   *
   * @throws AppError `permission_denied` when there is nobody it may run as
   */
  place(runner: DirectSession): Promise<ScriptPlace>
}

/** Where a script runs. */
export interface ScriptSession extends Pick<ScriptPlace, 'heir' | 'limitedTo'> {
  readonly session: DirectSession
  /** Where the log is decoded, it must say when the schema changes. */
  readonly marksSchemaChanges: boolean
  /** A log of backups is kept, which new tables have to join. */
  readonly publishesTables: boolean
}
