import { randomBytes } from 'node:crypto'
import { AppError } from '../../../errors.js'
import type { Endpoint } from '../../../platform/postgres/connection.js'
import { DirectSession } from '../../../platform/postgres/direct.js'
import { isLockTimeout, sqlState } from '../../../platform/postgres/errors.js'
import { parseLsn } from '../../../platform/postgres/replication/lsn.js'
import { sql } from '../../../platform/postgres/sql.js'

/** One state of the database that several connections look at, until it is closed. */
export interface Snapshot {
  readonly id: string
  /** Every transaction whose commit is before it is in the state, and no other. */
  readonly lsn: bigint
  /** By the server's clock, once the state was fixed. */
  readonly time: string
  /** The log goes on from exactly there. */
  readonly inLog: boolean
  close(): Promise<void>
}

/** Whoever has been writing since before the slot is waited for; others meanwhile do not wait. */
const WAIT_FOR_WRITERS = "set lock_timeout = '30s'"

/** SQLSTATE of a configured limit that is reached: of slots there are max_replication_slots, of their readers max_wal_senders. */
const NO_SLOT = '53400'

const now = () => sql<{ time: string; lsn: string }>`
  select clock_timestamp() as time, pg_current_wal_lsn()::text as lsn`

/**
 * Fixes a state of the database together with its place in the log, where logical decoding is allowed;
 * else the state alone.
 *
 * @throws AppError `conflict` when a transaction is open for so long that no place in the log can be found
 */
export const takeSnapshot = (endpoint: Endpoint, inLog: boolean): Promise<Snapshot> =>
  inLog ? slotSnapshot(endpoint) : plainSnapshot(endpoint)

/** The slot ends with its connection, also when this process is killed. */
async function slotSnapshot(endpoint: Endpoint): Promise<Snapshot> {
  const session = await DirectSession.open(endpoint, {
    name: 'catalyst-db backup',
    replication: 'database',
  })
  try {
    await session.command(WAIT_FOR_WRITERS)
    const name = `cdb_full_${randomBytes(6).toString('hex')}`
    const [slot] = await session.many(
      sql.trusted(
        `CREATE_REPLICATION_SLOT ${name} TEMPORARY LOGICAL pgoutput EXPORT_SNAPSHOT`,
      ) as ReturnType<typeof sql<{ consistent_point: string; snapshot_name: string }>>,
    )
    if (!slot) throw new Error('a slot was made without a word')
    const [clock] = await DirectSession.use(endpoint, (other) => other.many(now()), {
      name: 'catalyst-db backup',
    })
    return {
      id: slot.snapshot_name,
      lsn: parseLsn(slot.consistent_point),
      time: String(clock?.time),
      inLog: true,
      close: () => session.close(),
    }
  } catch (error) {
    await session.close()
    if (isLockTimeout(error)) throw heldUp(error)
    if (sqlState(error) === NO_SLOT) throw noSlot(error)
    throw error
  }
}

async function plainSnapshot(endpoint: Endpoint): Promise<Snapshot> {
  const session = await DirectSession.open(endpoint, { name: 'catalyst-db backup' })
  try {
    await session.command('begin isolation level repeatable read read only')
    const [exported] = await session.many(sql<{ id: string }>`select pg_export_snapshot() as id`)
    const [clock] = await session.many(now())
    return {
      id: String(exported?.id),
      lsn: parseLsn(String(clock?.lsn)),
      time: String(clock?.time),
      inLog: false,
      close: () => session.close(),
    }
  } catch (error) {
    await session.close()
    throw error
  }
}

const noSlot = (cause: unknown): AppError =>
  new AppError(
    'conflict',
    'Every replication slot of the server is in use: a full backup needs one for as long as it begins.',
    {
      hint: 'Drop slots that nobody uses (select slot_name from pg_replication_slots where not active), or raise max_replication_slots; then call again.',
      retryable: true,
      cause,
    },
  )

const heldUp = (cause: unknown): AppError =>
  new AppError(
    'conflict',
    'A transaction has been open for too long: a backup can begin only when every transaction that wrote before it has ended.',
    {
      hint: 'Read catalyst://db/performance/connections for the oldest transaction, let it end, and call again.',
      retryable: true,
      cause,
    },
  )
