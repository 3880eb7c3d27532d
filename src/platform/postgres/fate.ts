import { setTimeout as delay } from 'node:timers/promises'
import { AppError } from '../../errors.js'
import { connect, type Endpoint } from './connection.js'
import { isConnectionLoss } from './errors.js'
import { sql } from './sql.js'

/** How long the fate of a transaction whose COMMIT went unanswered is asked for. */
const DEADLINE_MS = 10_000
const POLL_MS = 100

/**
 * Whether a transaction whose COMMIT went unanswered has committed: PostgreSQL itself is asked, and
 * asked again while the transaction is still ending or the server cannot be reached.
 *
 * @throws AppError `outcome_unknown` when PostgreSQL does not say within the time limit
 */
export async function hasCommitted(
  endpoint: Endpoint,
  transactionId: string,
  cause: unknown,
): Promise<boolean> {
  const deadline = Date.now() + DEADLINE_MS
  while (Date.now() < deadline) {
    const fate = await fateOf(endpoint, transactionId)
    if (fate === 'committed') return true
    if (fate === 'aborted') return false
    await delay(POLL_MS)
  }
  throw new AppError('outcome_unknown', 'The connection was lost while committing.', {
    hint: 'Send the same call again with the same idempotency_key: it is then applied exactly once.',
    cause,
  })
}

/** `committed`, `aborted`, `in progress`; null when nobody can say right now. */
async function fateOf(endpoint: Endpoint, transactionId: string): Promise<string | null> {
  try {
    const client = await connect(endpoint)
    try {
      const { text, values } = sql`select pg_xact_status(${transactionId}::xid8) as fate`
      const result = await client.query<{ fate: string | null }>(text, [...values])
      return result.rows[0]?.fate ?? null
    } finally {
      await client.end()
    }
  } catch (error) {
    if (isConnectionLoss(error)) return null
    throw error
  }
}
