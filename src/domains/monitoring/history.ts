import type { Clock } from '../../lib/clock.js'
import type { Database } from '../../platform/postgres/database.js'
import * as statements from './history.sql.js'
import { type Figures, meanOf, type Sampled } from './series.js'

interface HistoryDeps {
  readonly database: Pick<Database, 'transaction' | 'many' | 'run'>
  readonly clock: Clock
  readonly serverId: string
  readonly sampleMs: number
  readonly keepMinutesDays: number
  readonly keepDays: number
}

const LEASE = 'metrics'
/** Who writes minutes and dies is followed before two of them are missing. */
const LEASE_SECONDS = 90
const RING_MS = 6 * 3_600_000
const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

/** Figures over time: the newest in memory, minutes and means of ten minutes in the database. */
export class History {
  readonly #deps: HistoryDeps
  #ring: Sampled[] = []
  #writtenUntil: number
  #tendedOn = ''

  constructor(deps: HistoryDeps) {
    this.#deps = deps
    this.#writtenUntil = minuteOf(deps.clock.now().getTime())
  }

  /** What this server has sampled itself. */
  get ring(): readonly Sampled[] {
    return this.#ring
  }

  /** Keeps the figures of one sample. A clock that was set back begins anew, for there is no telling what came first. */
  add(figures: Figures): void {
    const at = this.#deps.clock.now().getTime()
    const last = this.#ring.at(-1)
    if (last && at <= last.at) this.#ring = []
    this.#ring.push({ at, spanMs: this.#deps.sampleMs, figures })
    const first = this.#ring.findIndex((one) => at - one.at <= RING_MS)
    if (first > 0) this.#ring.splice(0, first)
  }

  /** Writes the minutes that are over, when this is the server that does; rolls up and drops what is old. */
  async write(): Promise<void> {
    const { database, serverId } = this.#deps
    const now = minuteOf(this.#deps.clock.now().getTime())
    if (now < this.#writtenUntil) this.#writtenUntil = now
    if (now === this.#writtenUntil) return
    const [lease] = await database.transaction((tx) =>
      tx.many(statements.holdLease(LEASE, serverId, LEASE_SECONDS)),
    )
    if (lease) {
      await this.#tend(now)
      // A server that was frozen for hours has nothing to say of them.
      for (let at = Math.max(this.#writtenUntil, now - 10 * MINUTE_MS); at < now; at += MINUTE_MS) {
        const samples = this.#ring.filter((one) => one.at >= at && one.at < at + MINUTE_MS)
        if (samples.length === 0) continue
        await database.run(
          statements.writeMinute(LEASE, lease.fence, new Date(at).toISOString(), meanOf(samples)),
        )
      }
      await database.run(statements.rollUp())
    }
    this.#writtenUntil = now
  }

  /** Lets another server write. */
  async leave(): Promise<void> {
    const { database, serverId } = this.#deps
    await database.run(statements.releaseLease(LEASE, serverId)).catch(() => {})
  }

  /** What is known from an instant on, in order: from the database up to where this server's own samples begin. */
  async since(from: number, now: number): Promise<Sampled[]> {
    const own = this.#ring.filter(({ at }) => at >= from)
    const firstOwn = own[0]?.at ?? now
    if (firstOwn - from <= MINUTE_MS) return own
    const { database, keepMinutesDays } = this.#deps
    const table = from < now - Math.min(keepMinutesDays, 2) * DAY_MS ? '10m' : '1m'
    const spanMs = table === '1m' ? MINUTE_MS : 10 * MINUTE_MS
    const rows = await database.many(statements.written(table, new Date(from).toISOString()))
    const written = rows.map(({ at_ms, figures }) => ({ at: at_ms, spanMs, figures }))
    // The last minutes may not have been rolled up yet.
    const newest = written.at(-1)
    const rest =
      table === '10m'
        ? (
            await database.many(
              statements.written('1m', new Date((newest?.at ?? from) + spanMs).toISOString()),
            )
          ).map(({ at_ms, figures }) => ({ at: at_ms, spanMs: MINUTE_MS, figures }))
        : []
    return [...[...written, ...rest].filter(({ at }) => at < firstOwn), ...own]
  }

  /** Once a day, and at the start: the days that will be needed, without those that are not. */
  async #tend(now: number): Promise<void> {
    const today = dayOf(now)
    if (this.#tendedOn === today) return
    const { database, keepMinutesDays, keepDays } = this.#deps
    await database.transaction(async (tx) => {
      for (const ahead of [-1, 0, 1, 2])
        await tx.one(statements.ensureDay(dayOf(now + ahead * DAY_MS)))
    })
    await database.transaction((tx) =>
      tx.one(
        statements.dropBefore(
          dayOf(now - keepMinutesDays * DAY_MS),
          dayOf(now - keepDays * DAY_MS),
        ),
      ),
    )
    this.#tendedOn = today
  }
}

const minuteOf = (ms: number): number => Math.floor(ms / MINUTE_MS) * MINUTE_MS
const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10)
