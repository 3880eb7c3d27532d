import { AppError } from '../../errors.js'
import type { Trouble } from '../../lib/tls-trouble.js'
import type { Endpoint } from '../../platform/postgres/connection.js'
import { troubleOf } from '../../platform/postgres/connection-trouble.js'
import type { DedicatedConnection } from '../../platform/postgres/dedicated.js'
import { behindPooler } from '../../platform/postgres/errors.js'
import { type Login, tryLogin, tryTransaction } from '../../platform/postgres/login.js'
import { type ServerHealth, serverHealth } from './sql.js'

/** Where PostgreSQL is looked at. */
export interface ProbeDeps {
  /** A connection of its own: the answer must not wait behind the pool's users. */
  readonly connection: DedicatedConnection
  /** What calls use. */
  readonly pooled: Endpoint
  /** The same one when no pooler is between. */
  readonly direct: Endpoint
  /** Why nothing new can be written, as far as that is known. */
  readonly writing: () => Promise<Trouble | null>
  /** Why there is no PostgreSQL to ask. */
  readonly absent?: Trouble | null
}

/** One look at PostgreSQL. */
export type Probe =
  | {
      readonly up: true
      readonly server: ServerHealth
      readonly latencyMs: number
      /** Why it cannot be used all the same; null when it can. */
      readonly trouble: Trouble | null
    }
  | { readonly up: false; readonly trouble: Trouble }

const IN_RECOVERY: Trouble = {
  cause:
    'Only a server in recovery answers, a standby for example: it answers reads and takes no writes.',
  fix: 'Point DATABASE_URL at the primary, or promote this one.',
}

/** Asks what PostgreSQL is, and logs in anew as the next call may have to. */
export async function probe(deps: ProbeDeps, isMigrated: boolean): Promise<Probe> {
  const { pooled, direct, absent } = deps
  if (absent) return { up: false, trouble: absent }
  const hasPooler = pooled !== direct
  const [asked, login, throughPooler, writing] = await Promise.all([
    ask(deps.connection, isMigrated),
    tryLogin(direct, hasPooler ? 'DATABASE_DIRECT_URL' : 'DATABASE_URL'),
    hasPooler ? tryTransaction(pooled) : null,
    deps.writing(),
  ])
  // What kept a fresh connection away says more than how an old one ended.
  if ('trouble' in login && !isUnwritable(asked)) return { up: false, trouble: login.trouble }
  if ('trouble' in asked) return { up: false, trouble: asked.trouble }
  const trouble = troubleWith(asked.server, login) ?? poolerTrouble(throughPooler) ?? writing
  return { up: true, ...asked, trouble }
}

type Asked =
  | { readonly server: ServerHealth; readonly latencyMs: number }
  | { readonly trouble: Trouble }

async function ask(connection: DedicatedConnection, isMigrated: boolean): Promise<Asked> {
  const started = performance.now()
  try {
    const server = await connection.one(serverHealth(isMigrated))
    const latencyMs = Math.round((performance.now() - started) * 1_000) / 1_000
    return { server, latencyMs }
  } catch (error) {
    if (error instanceof AppError) return { trouble: troubleOf(error) }
    throw error
  }
}

/** Of several servers only standbys answer: there is nobody to log in at, but somebody to look at. */
const isUnwritable = (asked: Asked): boolean => 'server' in asked && asked.server.in_recovery

function troubleWith({ in_recovery }: ServerHealth, login: Login): Trouble | null {
  if (in_recovery) return IN_RECOVERY
  if ('trouble' in login) return login.trouble
  return login.standing.is_pooled ? troubleOf(behindPooler()) : null
}

function poolerTrouble(login: Login | null): Trouble | null {
  if (login === null || 'standing' in login) return null
  return { cause: `Calls cannot reach PostgreSQL: ${login.trouble.cause}`, fix: login.trouble.fix }
}
