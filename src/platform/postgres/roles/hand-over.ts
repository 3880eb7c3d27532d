import { AppError } from '../../../errors.js'
import { askCatalog, catalogOnly } from '../catalog-only.js'
import type { DirectSession } from '../direct.js'
import { sqlState } from '../errors.js'
import { sql } from '../sql.js'
import { handOver, listBelongings, refusedFor } from './belongings.sql.js'

/** What is made in the open transaction is handed over at its end, so that later scripts may change it. */
export class HandOver {
  readonly #session: DirectSession
  readonly #heir: string
  readonly #before: readonly string[]

  private constructor(session: DirectSession, heir: string, before: readonly string[]) {
    this.#session = session
    this.#heir = heir
    this.#before = before
  }

  /** To be called once the transaction is open; null where nobody inherits. */
  static async begin(session: DirectSession, heir: string | null): Promise<HandOver | null> {
    if (heir === null) return null
    const rows = await catalogOnly(session, () => session.many(listBelongings()))
    return new HandOver(
      session,
      heir,
      rows.map(({ id }) => id),
    )
  }

  /** To be called last before the commit; answers what stays with its owner, and why. */
  async complete(): Promise<string[]> {
    const session = this.#session
    const scope = { since: this.#before }
    const rows = await catalogOnly(session, () => session.many(handOver(this.#heir, scope)))
    const stays = rows.flatMap(({ object, reason }) =>
      reason === null ? [] : [`${object} stays with its owner: ${reason}.`],
    )
    const lines = rows.flatMap(({ line }) => line ?? [])
    if (lines.length === 0) return stays
    await session.command('savepoint handing_over')
    try {
      await session.many(sql.trusted(lines.join('\n')))
      return stays
    } catch (error) {
      if (sqlState(error) === null) throw error
      await session.command('rollback to savepoint handing_over')
      return [
        ...stays,
        `Migrations over MCP cannot change what was made here until somebody runs: ${lines.join(' ')}`,
      ]
    }
  }
}

/** Whom a refused script may turn to. */
export interface Refused {
  /** The runner's: the script's transaction has failed. */
  readonly ledger: DirectSession
  /** As whom the script ran; null where it may change everything. */
  readonly limitedTo: string | null
  /** The statement that was refused. */
  readonly text: string
}

/**
 * A refusal of PostgreSQL (42501), told with the line that hands over what it is about. Other failures are
 * answered as they are.
 */
export async function withHandOver(
  told: unknown,
  error: unknown,
  { ledger, limitedTo, text }: Refused,
): Promise<unknown> {
  const isRefusal = sqlState(error) === '42501' && limitedTo !== null
  if (!isRefusal || !(told instanceof AppError) || told.code !== 'permission_denied') return told
  const said = error instanceof Error ? error.message : ''
  const found = await askCatalog(ledger, refusedFor(limitedTo, said, text))
  if (found.length === 0) return told
  const needsOwner = /owner/.test(said) || /\b(drop|alter|on)\s+schema\b/i.test(text)
  const lines = found.map(({ owning, making }) => (needsOwner ? owning : (making ?? owning)))
  const owners = [...new Set(found.map(({ owner }) => owner))].join(', ')
  const adopt = found.flatMap(({ adoptable }) => adoptable ?? [])[0]
  const also = adopt
    ? ` "catalyst-db migrate adopt '${adopt}'" does the same and leaves ${owners} its rights.`
    : ''
  return new AppError(told.code, told.message, {
    hint: `That belongs to ${owners}. Let its owner or a superuser hand over what migrations may change: ${lines.join(' ')}${also} ${told.hint ?? ''}`,
    retryable: told.retryable,
    cause: error,
  })
}
