import type { AppError } from '../../../errors.js'
import { askCatalog } from '../catalog-only.js'
import type { Endpoint } from '../connection.js'
import type { DirectSession, Login } from '../direct.js'
import { sqlState } from '../errors.js'
import {
  lockedOut,
  OTHER_DATABASE,
  refusal,
  superuser,
  tooMighty,
  unprepared,
} from './obstacles.js'
import { newPassword } from './password.js'
import { powersOf } from './powers.sql.js'
import { migratorOf, prepareRoles } from './roles.js'
import { type RoleFacts, whoAndWhere } from './roles.sql.js'
import type { ScriptLogin, ScriptPlace } from './script-login.js'

/** How the role of scripts is reached. */
export interface MigratorDeps {
  /** The database, as the product's own role. */
  readonly direct: Endpoint
  /** `CATALYST_MIGRATOR_URL`; null where the product gives the role a password for each run. */
  readonly given: Endpoint | null
  /** The socket of the embedded server, which only this user can open, asks for no password. */
  readonly isTrusted: boolean
}

/** What a client wrote runs with a login of its own, which can reach neither the ledger nor the server. */
export class MigratorLogin implements ScriptLogin {
  readonly #deps: MigratorDeps
  readonly #role: string

  constructor(deps: MigratorDeps) {
    this.#deps = deps
    this.#role = migratorOf(deps.given)
  }

  async prepare(runner: DirectSession): Promise<void> {
    await prepareRoles(runner, this.#role)
  }

  async place(runner: DirectSession): Promise<ScriptPlace> {
    const { direct, given, isTrusted } = this.#deps
    const facts = await prepareRoles(runner, this.#role)
    if (facts.is_superuser) throw refusal(superuser(facts))
    if (facts.missing.some(({ is_needed }) => is_needed))
      throw refusal(unprepared(this.#role, direct, facts))
    const user = this.#role
    const powers = await askCatalog(runner, powersOf(user, facts.role, facts.version))
    if (powers.length > 0) throw refusal(tooMighty(user, powers))
    const place = {
      heir: null,
      limitedTo: user,
      admit: (session: DirectSession) => admit(session, user, facts),
      refused: (error: AppError) => refusal(lockedOut(user, error), error),
    }
    if (given) return { ...place, endpoint: given, login: null }
    const login = isTrusted ? { user } : await this.#newPassword(runner, facts)
    return { ...place, endpoint: direct, login }
  }

  async #newPassword(runner: DirectSession, facts: RoleFacts): Promise<Login> {
    const user = this.#role
    try {
      return await newPassword(runner, user, facts.soon)
    } catch (error) {
      if (sqlState(error) !== '42501') throw error
      throw refusal(unprepared(user, this.#deps.direct, facts), error)
    }
  }
}

/** What was asked of the role holds for this connection only if it is in that role, and on that database. */
async function admit(session: DirectSession, user: string, { place }: RoleFacts): Promise<void> {
  const [found] = await session.many(whoAndWhere())
  if (found?.place !== place || found.role !== user) throw refusal(OTHER_DATABASE)
}
