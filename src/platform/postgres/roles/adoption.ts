import { AppError } from '../../../errors.js'
import { digestOf, type Question } from '../../../lib/confirmation.js'
import { askCatalog } from '../catalog-only.js'
import type { Endpoint } from '../connection.js'
import { DirectSession } from '../direct.js'
import { sqlState } from '../errors.js'
import { sql } from '../sql.js'
import { findAdoptable, handOver } from './belongings.sql.js'
import { migratorOf, prepareRoles, readRoles } from './roles.js'

/** What hands a schema or a relation over to the role of scripts. */
export interface Adoption {
  /** As the server writes its name. */
  readonly target: string
  readonly role: string
  /** To be run in this order, by its owner or a superuser. */
  readonly lines: readonly string[]
  /** What stays with its owner. */
  readonly stays: readonly { readonly object: string; readonly reason: string }[]
  readonly ran: boolean
}

/** Longest wait for a lock: whoever queues behind it waits as well. */
const LOCK_TIMEOUT_MS = 3_000

/** Hands over what migrations of clients may change, for the operator. */
export class Adopting {
  readonly #endpoint: Endpoint
  readonly #role: string

  /** @param given the login of the scripts of clients, where the operator names one */
  constructor(endpoint: Endpoint, given: Endpoint | null) {
    this.#endpoint = endpoint
    this.#role = migratorOf(given)
  }

  /**
   * The lines, without running them.
   *
   * @throws AppError `not_found`, or `permission_denied` for what is never handed over
   */
  plan(name: string): Promise<Adoption> {
    return DirectSession.use(this.#endpoint, (session) => this.#plan(session, name))
  }

  /**
   * Runs them, all or none.
   *
   * @throws AppError `conflict` when they are not those that were confirmed
   */
  run(name: string, confirmedPlan: string): Promise<Adoption> {
    return DirectSession.use(this.#endpoint, async (session) => {
      await prepareRoles(session, this.#role)
      const plan = await this.#plan(session, name)
      const { lines } = plan
      if (digestOf(questionOf(plan).plan) !== confirmedPlan) throw changed()
      await session.command('begin')
      try {
        await session.many(sql.trusted(`set local lock_timeout = ${LOCK_TIMEOUT_MS}`))
        for (const line of lines) await runLine(session, line)
        await session.command('commit')
      } catch (error) {
        // On a lost connection PostgreSQL has done so already.
        await session.command('rollback').catch(() => {})
        throw error
      }
      return { ...plan, ran: true }
    })
  }

  async #plan(session: DirectSession, name: string): Promise<Adoption> {
    const facts = await readRoles(session, this.#role)
    const found = await find(session, name)
    const { target, schema, relation } = found
    const scope = relation === null ? { schema } : { relation }
    const rows = await askCatalog(session, handOver(this.#role, scope))
    const missing = facts.missing.flatMap(({ line, is_needed }) => (is_needed ? line : []))
    return {
      target,
      role: this.#role,
      lines: [...missing, ...rows.flatMap(({ line }) => line ?? [])],
      stays: rows.flatMap(({ object, reason }) => (reason === null ? [] : { object, reason })),
      ran: false,
    }
  }
}

/** What has to be confirmed before the lines are run. */
export const questionOf = ({ target, role, lines, stays }: Adoption): Question => ({
  message: `Hand ${target} over to ${role}, so that migrations over MCP may change it?`,
  plan: { target, role, lines, stays },
})

async function find(session: DirectSession, name: string) {
  const found = await lookUp(session, name)
  if (!found) {
    throw new AppError('not_found', `There is no schema and no table of the name ${name}.`, {
      hint: `Write the names of tables with their schema, such as public.orders, and quote what is not in lower case: '"Odd"."Name"'.`,
    })
  }
  if (found.is_forbidden) {
    throw new AppError('permission_denied', `${found.target} is never handed over.`, {
      hint: 'What is of the schema catalyst, of PostgreSQL or of an extension stays where it is.',
    })
  }
  if (found.is_part) {
    throw new AppError('invalid_input', `${found.target} belongs to a table.`, {
      hint: 'Name the table: what is part of it is handed over with it.',
    })
  }
  return found
}

async function lookUp(session: DirectSession, name: string) {
  try {
    const [found] = await askCatalog(session, findAdoptable(name))
    return found ?? null
  } catch (error) {
    // It cannot be read as a name.
    if (/^(22|42)/.test(sqlState(error) ?? '')) return null
    throw error
  }
}

async function runLine(session: DirectSession, line: string): Promise<void> {
  try {
    // Its names are quoted by the server that knows them.
    await session.many(sql.trusted(line))
  } catch (error) {
    if (sqlState(error) !== '42501') throw error
    throw new AppError('permission_denied', `The role of DATABASE_URL may not run: ${line}`, {
      hint: 'Nothing was changed. Without --run the lines are printed, for its owner or a superuser to run.',
      cause: error,
    })
  }
}

const changed = (): AppError =>
  new AppError('conflict', 'What would be handed over changed since it was confirmed.', {
    hint: 'Nothing was changed. Look at it again.',
  })
