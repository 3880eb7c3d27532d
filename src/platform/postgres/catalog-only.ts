import type { DirectSession } from './direct.js'
import { type Statement, sql } from './sql.js'

/** Looks while names lead to the catalog only: nothing that scripts have made is found or called. */
export async function catalogOnly<T>(session: DirectSession, look: () => Promise<T>): Promise<T> {
  await session.many(sql.trusted('set local search_path to pg_catalog, pg_temp'))
  const seen = await look()
  await session.many(sql.trusted('set local search_path to public'))
  return seen
}

/** The same in a transaction of its own, which keeps nothing. */
export async function aside<T>(session: DirectSession, look: () => Promise<T>): Promise<T> {
  await session.command('begin')
  try {
    return await catalogOnly(session, look)
  } finally {
    // On a lost connection PostgreSQL has done so already.
    await session.command('rollback').catch(() => {})
  }
}

/** Asks one thing so. */
export const askCatalog = <Row>(
  session: DirectSession,
  statement: Statement<Row>,
): Promise<Row[]> => aside(session, () => session.many(statement))
