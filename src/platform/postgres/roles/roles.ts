import { askCatalog } from '../catalog-only.js'
import type { Endpoint } from '../connection.js'
import type { DirectSession } from '../direct.js'
import { isConnectionLoss, sqlState } from '../errors.js'
import { sql } from '../sql.js'
import { type MissingLine, type RoleFacts, roleFacts } from './roles.sql.js'

/** Who the scripts of clients run as, and who owns what they make, unless the operator names another. */
const MIGRATOR = 'catalyst_migrator'

/** The role that an endpoint of the operator's logs in as. */
export const migratorOf = (given: Endpoint | null): string =>
  given?.config.user === undefined ? MIGRATOR : given.config.user

/** The roles as they are now. */
export async function readRoles(runner: DirectSession, migrator: string): Promise<RoleFacts> {
  const [facts] = await askCatalog(runner, roleFacts(migrator))
  if (!facts) throw new Error('the server said nothing of its roles')
  return facts
}

/** Others may be making the same roles at the same time. */
const MAX_ATTEMPTS = 10
/** Made already by another, or changed by one while we did: duplicate_object, unique_violation, "tuple concurrently updated". */
const RACES = ['42710', '23505', 'XX000']

/**
 * Makes what is missing as far as the role of the product may, and answers what the roles are then. A
 * superuser makes nothing: with one, scripts of clients do not run.
 */
export async function prepareRoles(runner: DirectSession, migrator: string): Promise<RoleFacts> {
  const tried = new Set<string>()
  for (let attempt = 1; ; attempt++) {
    const facts = await readRoles(runner, migrator)
    const open = facts.missing.filter((one) => !tried.has(one.line) && mayTry(one, migrator, facts))
    if (facts.is_superuser || open.length === 0 || attempt > MAX_ATTEMPTS) return facts
    for (const { line } of open) {
      if (await isTried(runner, line)) tried.add(line)
    }
  }
}

/** The operator's own login is the operator's to make. */
function mayTry({ line, is_needed }: MissingLine, migrator: string, facts: RoleFacts): boolean {
  if (line.startsWith('grant')) return facts.exists
  if (!line.startsWith('create role')) return false
  return facts.may_create_roles && (migrator === MIGRATOR || !is_needed)
}

async function isTried(runner: DirectSession, line: string): Promise<boolean> {
  try {
    // Its names are quoted by the server that knows them.
    await runner.many(sql.trusted(line))
    return true
  } catch (error) {
    if (isConnectionLoss(error)) throw error
    // What is refused stays missing, and is told to who needs it.
    return !RACES.includes(sqlState(error) ?? '')
  }
}
