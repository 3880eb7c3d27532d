import { AppError } from '../../../errors.js'
import { askCatalog } from '../catalog-only.js'
import type { Endpoint } from '../connection.js'
import { DirectSession } from '../direct.js'
import type { MigratorDeps } from './migrator-login.js'
import {
  lockedOut,
  type Obstacle,
  OTHER_DATABASE,
  superuser,
  tooMighty,
  unprepared,
} from './obstacles.js'
import { powersOf } from './powers.sql.js'
import { migratorOf, readRoles } from './roles.js'
import { type RoleFacts, whoAndWhere } from './roles.sql.js'

/** What is found of the roles that migrations over MCP need. */
export interface RoleFinding {
  readonly check: string
  readonly status: 'ok' | 'warning' | 'problem'
  readonly detail: string
  readonly fix: string | null
}

const CHECK = 'Migrations over MCP'

/** Looks at the roles of scripts as a run would, and changes nothing; null where PostgreSQL does not answer. */
export async function checkRoles(deps: MigratorDeps): Promise<RoleFinding | null> {
  try {
    return await DirectSession.use(deps.direct, (runner) => look(runner, deps))
  } catch (error) {
    // Why it does not answer is another finding.
    if (error instanceof AppError) return null
    throw error
  }
}

async function look(runner: DirectSession, { direct, given }: MigratorDeps): Promise<RoleFinding> {
  const migrator = migratorOf(given)
  const facts = await readRoles(runner, migrator)
  if (facts.is_superuser) return refused('warning', superuser(facts))
  const powers = facts.exists
    ? await askCatalog(runner, powersOf(migrator, facts.role, facts.version))
    : []
  if (powers.length > 0) return refused('problem', tooMighty(migrator, powers))
  const needed = facts.missing.some(({ is_needed }) => is_needed)
  if (given === null && facts.may_create_roles && !facts.exists) {
    return ok(`role ${migrator} is made when a server starts`)
  }
  if (needed || (given === null && !facts.may_set_password)) {
    return refused('warning', unprepared(migrator, direct, facts))
  }
  const obstacle = given ? await tryLogin(given, migrator, facts) : null
  return obstacle ? refused('problem', obstacle) : ok(`they run as role ${migrator}`)
}

async function tryLogin(
  given: Endpoint,
  migrator: string,
  facts: RoleFacts,
): Promise<Obstacle | null> {
  try {
    return await DirectSession.use(given, async (session) => {
      const [found] = await session.many(whoAndWhere())
      return found?.place === facts.place ? null : OTHER_DATABASE
    })
  } catch (error) {
    if (error instanceof AppError) return lockedOut(migrator, error)
    throw error
  }
}

const ok = (detail: string): RoleFinding => ({ check: CHECK, status: 'ok', detail, fix: null })

const refused = (status: 'warning' | 'problem', { cause, fix }: Obstacle): RoleFinding => ({
  check: CHECK,
  status,
  detail: `refused: ${cause}`,
  fix,
})
