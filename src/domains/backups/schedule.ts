import { AppError } from '../../errors.js'
import type { ObjectStore } from '../../platform/objects/store.js'
import type { Database } from '../../platform/postgres/database.js'
import type { Policy } from '../../policy.js'
import { Archive } from './archive/archive.js'
import type { BackupType } from './archive/keys.js'
import type { LogKeeper } from './capture/log-keeper.js'
import { readLogState } from './capture/sql.js'
import { type BackupTaker, isBarred, newestFull } from './create.js'
import * as statements from './sql.js'

export interface ScheduleDeps {
  readonly database: Database
  readonly policy: Policy['backups']
  readonly log: LogKeeper
  readonly taker: BackupTaker
  objects(): Promise<ObjectStore>
  /** Restores the newest full backup beside, to prove it. */
  drill(signal: AbortSignal): Promise<void>
}

const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000
/** Between two tries of what failed; each failure more doubles it. */
const AGAIN_MS = MINUTE_MS
const AGAIN_AT_MOST_MS = HOUR_MS

/** Takes backups when they are due. Only the server that keeps the log does, so each is taken once. */
export class Schedule {
  readonly #deps: ScheduleDeps
  /** How many there were when the log led to now. */
  #barriers = -1

  constructor(deps: ScheduleDeps) {
    this.#deps = deps
  }

  /** Takes the one that is due, if any. */
  async round(signal: AbortSignal): Promise<void> {
    const { log, taker, policy } = this.#deps
    if (!log.isLeader || policy.enabled === false) return
    const due = await this.#due()
    if (due === 'drill') return this.#deps.drill(signal)
    if (due === null) return
    const query = { type: due, compress: true, encrypt: false }
    try {
      await taker.create(query, { signal, progress: () => {} })
    } catch (error) {
      // Somebody else takes one at this moment.
      if (!(error instanceof AppError && error.code === 'conflict')) throw error
    }
  }

  async #due(): Promise<BackupType | 'drill' | null> {
    const { policy, database } = this.#deps
    const state = await database.maybeOne(readLogState())
    const hasLog = state?.state === 'archiving'
    const { now } = await database.one(statements.clock())
    const tries = await database.many(statements.selectTries())
    // Nobody has asked for backups here yet.
    if (!hasLog && tries.length === 0) return null
    const [full, incremental] = (['full', 'incremental'] as const).map((type) => {
      const last = tries.find((one) => one.type === type)
      const since = last ? Date.parse(now) - Date.parse(last.at) : Number.POSITIVE_INFINITY
      const failures = last?.failures ?? 0
      const rest = Math.min(AGAIN_MS * 2 ** (failures - 1), AGAIN_AT_MOST_MS)
      return { since, mayTry: failures === 0 || since >= rest, hasFailed: failures > 0 }
    })
    if (!full?.mayTry) return null
    if (full.hasFailed || full.since >= policy.full_every_hours * HOUR_MS) return 'full'
    if (hasLog && state.archive_id && (await this.#leadsNowhere(state.archive_id))) return 'full'
    const since = Math.min(full.since, incremental?.since ?? full.since)
    if (hasLog && incremental?.mayTry && since >= policy.incremental_minutes * MINUTE_MS) {
      return 'incremental'
    }
    return (await this.#isDrillDue(now)) ? 'drill' : null
  }

  /** The log does not lead from the newest full backup to now. The store is only asked when that may have changed. */
  async #leadsNowhere(archiveId: string): Promise<boolean> {
    const { barriers } = this.#deps.log
    if (barriers === this.#barriers) return false
    const archive = await Archive.open(await this.#deps.objects(), archiveId)
    const base = await newestFull(archive)
    if (!base?.snapshot.in_log || (await isBarred(archive, base)) !== null) return true
    this.#barriers = barriers
    return false
  }

  async #isDrillDue(now: string): Promise<boolean> {
    const days = this.#deps.policy.drill_days
    if (days === 0) return false
    const rows = await this.#deps.database.many(statements.selectVerified())
    const last = rows.find(({ is_drill }) => is_drill)?.verified_at
    const first = await this.#deps.database.maybeOne(statements.selectFirst())
    const from = last ?? first?.at
    return from !== undefined && Date.parse(now) - Date.parse(from) >= days * 24 * HOUR_MS
  }
}
