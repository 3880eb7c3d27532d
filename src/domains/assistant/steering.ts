import type { MaintenanceAction } from '../../lib/maintenance-actions.js'
import type { Database } from '../../platform/postgres/database.js'
import * as statements from './sql.js'

/** What an operator wants of the assistant; null leaves it as it is. */
interface Wish {
  readonly stopped: boolean | null
  /** An action that had made things worse, to be done again. */
  readonly enable: MaintenanceAction | null
}

/** Steers the assistant of every server of this database. */
export const steer = (database: Database, { stopped, enable }: Wish): Promise<void> =>
  database.transaction(async (tx) => {
    if (stopped !== null) await tx.run(statements.setStopped(stopped))
    if (enable !== null) await tx.run(statements.enableAction(enable))
  })
