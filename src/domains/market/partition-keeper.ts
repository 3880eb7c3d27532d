import type { Loops } from '../../kernel/loops.js'
import type { Clock } from '../../lib/clock.js'
import type { Log } from '../../platform/log.js'
import type { Partitions } from './partitions.js'

interface PartitionKeeperDeps {
  readonly partitions: Pick<Partitions, 'ensureAhead'>
  readonly clock: Clock
  readonly loops: Loops
  /** Resolves when the tables are there. */
  readonly migrated: Promise<void>
  readonly log: Log
}

/** Beside the current month; a server that stays away for weeks still leaves room for the first bars. */
const MONTHS_AHEAD = 2
const CHECK_MS = 12 * 60 * 60 * 1_000

/** Makes the partitions of the coming months before anybody needs them, from the start and every twelve hours. */
export function keepPartitions({ partitions, clock, loops, migrated, log }: PartitionKeeperDeps) {
  const retry = { firstMs: 1_000, maxMs: 5_000 }
  const timing = { everyMs: CHECK_MS, retry, after: migrated }
  loops.every('making the partitions of the coming months', timing, async () => {
    const created = await partitions.ensureAhead(monthsFrom(clock.now()))
    if (created > 0) log.info({ partitions: created }, 'partitions of the coming months are made')
  })
}

/** The first instants of this month and those to come. */
const monthsFrom = (now: Date): string[] =>
  Array.from({ length: MONTHS_AHEAD + 1 }, (_, ahead) =>
    new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + ahead)).toISOString(),
  )
