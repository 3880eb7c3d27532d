import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto'
import { AppError } from '../../errors.js'
import type { Endpoint } from '../../platform/postgres/connection.js'
import type { DirectSession, Login } from '../../platform/postgres/direct.js'
import { sqlState } from '../../platform/postgres/errors.js'
import * as statements from './migrator.sql.js'
import type { ScriptLogin, ScriptPlace } from './script-login.js'

/** Who the scripts of clients run as, and who owns what they make. */
const MIGRATOR = 'catalyst_migrator'

/** How that role is reached. */
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

  constructor(deps: MigratorDeps) {
    this.#deps = deps
  }

  async place(runner: DirectSession): Promise<ScriptPlace> {
    const { direct, given, isTrusted } = this.#deps
    if (given) return { endpoint: given, login: null, admit }
    const server = await readServer(runner)
    const login = await this.#prepared(runner, server, isTrusted)
    return { endpoint: direct, login, admit }
  }

  async #prepared(
    runner: DirectSession,
    server: statements.MigratorFacts,
    isTrusted: boolean,
  ): Promise<Login> {
    try {
      await prepareRole(runner, server)
      if (isTrusted) return { user: MIGRATOR }
      const password = randomBytes(24).toString('base64url')
      await runner.many(statements.setPassword(verifierOf(password)))
      return { user: MIGRATOR, password }
    } catch (error) {
      if (sqlState(error) === null) throw error
      throw notPrepared(server, error)
    }
  }
}

/** The lines that make the role where the product may not; for an operator with the right to. */
const migratorLines = ({ database, role }: { database: string; role: string }): string[] => [
  `create role ${MIGRATOR} login password '<password>';`,
  `grant ${MIGRATOR} to ${quoted(role)};`,
  `grant create, temporary on database ${quoted(database)} to ${MIGRATOR};`,
  `grant usage, create on schema public to ${MIGRATOR};`,
]

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

async function readServer(runner: DirectSession): Promise<statements.MigratorFacts> {
  const [facts] = await runner.many(statements.migratorFacts())
  if (!facts) throw new Error('the server said nothing of itself')
  return facts
}

/** Only what is missing: rights are rows, and others may be changing them. */
async function prepareRole(runner: DirectSession, facts: statements.MigratorFacts): Promise<void> {
  if (!facts.exists) await runner.many(statements.createMigrator()).catch(unlessThere)
  const { is_member, may_create, may_create_in_public } = await readServer(runner)
  if (!is_member) await runner.many(statements.joinMigrator(facts.version >= 160_000))
  if (!may_create) await runner.many(statements.grantDatabase(facts.database))
  if (!may_create_in_public) await runner.many(statements.grantPublic())
  const now = await readServer(runner)
  if (now.may_create_in_public) return
  throw notPrepared(facts, null)
}

/** Another runner has made it at the same time. */
function unlessThere(error: unknown): never[] {
  if (['42710', '23505'].includes(sqlState(error) ?? '')) return []
  throw error
}

/** What PostgreSQL keeps instead of a password, so that the password itself is in no log: RFC 5802. */
function verifierOf(password: string): string {
  const iterations = 4_096
  const salt = randomBytes(16)
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256')
  const mac = (text: string): Buffer => createHmac('sha256', salted).update(text).digest()
  const stored = createHash('sha256').update(mac('Client Key')).digest('base64')
  const served = mac('Server Key').toString('base64')
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${stored}:${served}`
}

async function admit(session: DirectSession): Promise<void> {
  const [row] = await session.many(statements.powers())
  const powers = row?.powers ?? ['nothing is known of it']
  if (powers.length === 0) return
  throw new AppError(
    'permission_denied',
    `Migrations over MCP do not run as role ${row?.role}: ${powers.join('; ')}.`,
    {
      hint: `Let who runs the server give CATALYST_MIGRATOR_URL a role that owns only what migrations may change ("catalyst-db doctor" prints the lines), or run "catalyst-db migrate up".`,
    },
  )
}

const notPrepared = (facts: statements.MigratorFacts, cause: unknown): AppError =>
  new AppError(
    'permission_denied',
    `Migrations over MCP need the role ${MIGRATOR}, which the role ${facts.role} may not prepare.`,
    {
      hint: `Let who may create roles run: ${migratorLines(facts).join(' ')} Then set CATALYST_MIGRATOR_URL. "catalyst-db migrate up" runs migrations by the operator's own hand.`,
      cause,
    },
  )
