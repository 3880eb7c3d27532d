import { AppError } from '../../../errors.js'
import { catalogOnly } from '../catalog-only.js'
import type { DirectSession } from '../direct.js'
import { sql } from '../sql.js'
import { rowCounters } from './snapshot.sql.js'

/** A trigger that defers again whenever it has run would go on for ever. */
const MAX_ROUNDS = 10

/**
 * Runs now what PostgreSQL would run at the commit, after everything was looked at: deferred triggers,
 * and the queries of cursors that outlive the transaction. A trigger can defer further ones only by
 * writing rows, so a round that writes none was the last.
 *
 * @throws AppError `precondition_failed` when there is no last one
 */
export async function settle(session: DirectSession): Promise<void> {
  let written: string | null = null
  for (let round = 0; round < MAX_ROUNDS; round++) {
    await session.many(sql.trusted('set constraints all immediate'))
    await session.many(sql.trusted('close all'))
    const counters = JSON.stringify(await catalogOnly(session, () => session.many(rowCounters())))
    if (counters === written) return
    written = counters
  }
  throw new AppError(
    'precondition_failed',
    'The triggers of the script defer their work without end.',
    {
      hint: 'Nothing was kept. Let no trigger set constraints to deferred.',
    },
  )
}
