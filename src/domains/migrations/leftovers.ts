import { AppError } from '../../errors.js'
import type { DirectSession } from '../../platform/postgres/direct.js'
import { sql } from '../../platform/postgres/sql.js'
import * as statements from './session.sql.js'
import type { Standalone } from './standalone.js'

/**
 * Removes what an interrupted attempt at a statement left: an index that PostgreSQL maintains but
 * does not use, and that stands in the way of a new attempt.
 *
 * @throws AppError `conflict` while another session builds that index
 */
export async function clearLeftovers(
  session: DirectSession,
  standalone: Standalone,
): Promise<void> {
  if (standalone.kind === 'create index') {
    const state = await findIndex(session, standalone)
    if (!state || state.is_valid) return
    if (state.is_being_built) throw beingBuilt(state.name)
    await dropIndex(session, state.name)
  }
  if (standalone.kind === 'reindex') {
    const leftovers = await session.many(statements.listReindexLeftovers(standalone.relation))
    for (const { name } of leftovers) await dropIndex(session, name)
  }
}

/**
 * Whether a statement that nobody recorded the end of was done. A partition that was being detached is
 * detached to the end.
 */
export async function wasDone(session: DirectSession, standalone: Standalone): Promise<boolean> {
  switch (standalone.kind) {
    case 'create index':
      return (await findIndex(session, standalone))?.is_valid ?? false
    case 'drop index': {
      const [found] = await session.many(statements.hasRelation(standalone.index))
      return !found?.present
    }
    case 'detach partition':
      return detachToTheEnd(session, standalone)
    case 'reindex':
    case 'vacuum':
      return false
  }
}

/** True when the index is there and PostgreSQL uses it; of other statements always. */
export const isWhole = async (session: DirectSession, standalone: Standalone): Promise<boolean> =>
  standalone.kind !== 'create index' || ((await findIndex(session, standalone))?.is_valid ?? false)

type CreateIndex = Extract<Standalone, { kind: 'create index' }>
type DetachPartition = Extract<Standalone, { kind: 'detach partition' }>

async function findIndex(
  session: DirectSession,
  { table, index }: CreateIndex,
): Promise<statements.IndexState | null> {
  const [state] = await session.many(statements.findIndex(table, index ?? ''))
  return state ?? null
}

/** Never the plain form: it would lock the table. */
const dropIndex = (session: DirectSession, name: string): Promise<string> =>
  session.command(`drop index concurrently if exists ${name}`)

async function detachToTheEnd(
  session: DirectSession,
  { parent, partition }: DetachPartition,
): Promise<boolean> {
  const [state] = await session.many(statements.findPartition(parent, partition))
  if (!state?.is_pending) return state === undefined
  const finalize = `alter table ${parent} detach partition ${partition} finalize`
  await session.many(sql.trusted(finalize))
  return true
}

const beingBuilt = (name: string): AppError =>
  new AppError('conflict', `Another session builds the index ${name} at this moment.`, {
    hint: 'Wait until pg_stat_activity (catalyst://db/performance/connections) shows no CREATE INDEX, then run the migration again.',
    retryable: true,
  })
