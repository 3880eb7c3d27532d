import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { AppError } from '../../../errors.js'
import type { Question } from '../../../lib/confirmation.js'
import { microsecondsOf } from '../../../lib/microseconds.js'
import type { ObjectStore } from '../../../platform/objects/store.js'
import type { Endpoint } from '../../../platform/postgres/connection.js'
import { DirectSession } from '../../../platform/postgres/direct.js'
import { formatLsn } from '../../../platform/postgres/replication/lsn.js'
import type { Policy } from '../../../policy.js'
import { Archive } from '../archive/archive.js'
import { readLogState, writeMark } from '../capture/sql.js'
import { Progress } from '../progress.js'
import { readIdentities } from '../settings.js'
import { type Drilled, drill } from './drill.js'
import {
  prepare,
  type RestoreDeps,
  type RestoreRequest,
  restoreBeside,
  shownPlan,
} from './restore.js'
import { dropSide, listSides, RESTORER, type SideDatabase, sideName } from './side.js'
import { oldName, swapIn } from './swap.js'

/** What restores are made from. */
export interface RestoresDeps {
  readonly direct: Endpoint
  readonly policy: Policy['backups']
  readonly identityFile: string | null
  objects(): Promise<ObjectStore>
  readonly prepareDatabase?: ((database: string) => Promise<void>) | undefined
  readonly step?: ((name: string) => unknown) | undefined
}

/** What is asked for. */
export interface RestoreQuery {
  readonly backupId: string
  readonly targetTime: string | null
  readonly dryRun: boolean
  readonly mode: 'side' | 'swap'
  readonly tables: readonly string[] | null
}

/** Who asks. */
interface RestoreCall {
  readonly signal: AbortSignal
  readonly progress: (done: number, total: number, message: string) => void
}

/** Failures that say that a backup is no good, and not that it could not be tried. */
const PROVEN_WRONG: ReadonlySet<string> = new Set(['integrity_violation', 'not_found'])
/** How long the log may take to come so far as now. */
const CATCH_UP_MS = 60_000
/** A database that is being loaded has a session of its loader; one without is a leftover by then. */
const LEFTOVER_MS = 60_000

/** Databases that were restored: made, listed, put in the place of the one that is there, dropped. */
export class Restores {
  readonly #deps: RestoresDeps

  constructor(deps: RestoresDeps) {
    this.#deps = deps
  }

  /** What has to be confirmed before a restore; null when it takes nobody's place. */
  async ask(query: RestoreQuery, signal: AbortSignal): Promise<Question | null> {
    if (query.dryRun || query.mode !== 'swap') return null
    refuseTablesInSwap(query)
    const { prepared } = await this.#prepared(query, signal)
    const { plan } = prepared
    const { database } = this.#deps.direct
    const { time } = plan.recoveredTo
    return {
      message: `Everything that was committed in the database ${database} after ${time} is no longer in it: the restored one takes its place. The old one is kept for ${this.#deps.policy.keep_restores_hours} hours. Whoever is connected is cut off.`,
      plan: {
        backup_id: query.backupId,
        target_time: query.targetTime,
        database,
        recovered_to: time,
      },
    }
  }

  /**
   * Restores, or only tells how it would be.
   *
   * @throws AppError; then nothing has changed, and nothing is left
   */
  async restore(query: RestoreQuery, call: RestoreCall) {
    const started = performance.now()
    refuseTablesInSwap(query)
    const { signal } = call
    const { archive, prepared, deps, request } = await this.#prepared(query, signal)
    const { plan, selection, catalog } = prepared
    const shown = await shownPlan(archive, plan)
    const common = {
      restore_status: 'success' as const,
      next_commit_at: plan.nextCommitAt,
      plan: shown,
    }
    const elapsed = () => Math.round(performance.now() - started)
    if (query.dryRun) {
      const tables = catalog.tables.filter(({ oid }) => selection.oids.has(oid))
      const { time, lsn } = plan.recoveredTo
      return {
        ...common,
        tables_restored: tables.length,
        restore_id: null,
        database: null,
        recovered_to: { time, lsn: formatLsn(lsn) },
        rows: tables.reduce((sum, { rows }) => sum + rows, 0),
        warnings: clockWarnings(plan.segments),
        duration_ms: elapsed(),
      }
    }
    const progress = new Progress((done, total, message) => call.progress(done, total, message))
    const restored = await restoreBeside(deps, prepared, request, { signal, progress })
    const warnings = [...restored.warnings, ...clockWarnings(plan.segments)]
    const answer = {
      ...common,
      tables_restored: restored.tables.length,
      restore_id: restored.restore_id,
      recovered_to: restored.recovered_to,
      rows: restored.tables.reduce((sum, { rows }) => sum + rows, 0),
    }
    if (query.mode === 'side') {
      return { ...answer, database: restored.database, warnings, duration_ms: elapsed() }
    }
    const { kept } = await this.#swap(deps, restored)
    if (kept) warnings.push(`The database that was there before is kept as ${kept}.`)
    return { ...answer, database: deps.endpoint.database, warnings, duration_ms: elapsed() }
  }

  /**
   * Restores a backup beside to prove that it can be, looks at what came of it, and drops it. That it cannot be
   * restored is what came of it.
   */
  async drill(backupId: string, call: RestoreCall): Promise<Drilled> {
    const started = performance.now()
    try {
      return await drill(await this.#restoring(backupId), backupId, call)
    } catch (error) {
      const isAnswer = error instanceof AppError && PROVEN_WRONG.has(error.code)
      if (!isAnswer || call.signal.aborted) throw error
      const restore_ms = Math.round(performance.now() - started)
      return { valid: false, issues: [error.message], not_checked: [], phases: [], restore_ms }
    }
  }

  /** The databases that were restored, or replaced, and are still there. */
  async list() {
    const sides = await this.#own()
    return sides
      .filter(({ state }) => state === 'ready' || state === 'replaced')
      .map((side) => ({
        restore_id: side.restore_id,
        database: side.database,
        backup_id: side.backup_id,
        recovered_to: side.recovered_to,
        created_at: side.created_at,
        expires_at: side.expires_at,
        size_bytes: side.size_bytes,
      }))
  }

  /**
   * The name of a restored database.
   *
   * @throws AppError `not_found`
   */
  async databaseOf(restoreId: string): Promise<string> {
    return (await this.#find(restoreId)).database
  }

  /** What has to be confirmed before a restored database is dropped. */
  async askDiscard(restoreId: string): Promise<Question> {
    const side = await this.#find(restoreId)
    return {
      message: `The database ${side.database} is dropped with everything in it.`,
      plan: { restore_id: restoreId, database: side.database },
    }
  }

  /**
   * Drops a restored database.
   *
   * @throws AppError `not_found`; `conflict` while somebody is in it
   */
  async discard(restoreId: string) {
    const side = await this.#find(restoreId)
    if (side.sessions > 0) throw inUse(side)
    await dropSide(this.#deps.direct, side.database)
    return { discarded: true, database: side.database }
  }

  /** Drops what has expired and is not in use, and what a server that died has left half made. */
  async expire(): Promise<number> {
    let dropped = 0
    for (const side of await this.#own()) {
      if (side.sessions > 0 || !isOver(side)) continue
      await dropSide(this.#deps.direct, side.database)
      dropped++
    }
    return dropped
  }

  async #swap(deps: RestoreDeps, restored: Awaited<ReturnType<typeof restoreBeside>>) {
    try {
      // What was committed until now is in the log then, and can be restored from there.
      await this.#mark().catch(() => undefined)
      return await swapIn(deps.endpoint, restored, deps.step)
    } catch (error) {
      const sides = await listSides(deps.endpoint).catch(() => [])
      const isThere = sides.some(({ database }) => database === restored.database)
      if (isThere) await dropSide(deps.endpoint, restored.database)
      throw error
    }
  }

  async #prepared(query: RestoreQuery, signal: AbortSignal) {
    const deps = await this.#restoring(query.backupId)
    const { archive } = deps
    if (query.targetTime !== null) await this.#catchUp(archive, query.targetTime, signal)
    const { backupId, targetTime, tables } = query
    const request: RestoreRequest = { backupId, targetTime, tables }
    return { archive, deps, request, prepared: await prepare(deps, request, signal) }
  }

  async #restoring(backupId: string): Promise<RestoreDeps> {
    const objects = await this.#deps.objects()
    const { direct, policy, step, prepareDatabase, identityFile } = this.#deps
    return {
      archive: await Archive.open(objects, await Archive.holding(objects, backupId)),
      endpoint: direct,
      identities: await readIdentities(identityFile),
      workers: policy.workers,
      keepHours: policy.keep_restores_hours,
      prepare: prepareDatabase,
      step,
    }
  }

  /** What was committed a moment ago is on its way into the store: a mark sends it there. */
  async #catchUp(archive: Archive, targetTime: string, signal: AbortSignal): Promise<void> {
    const us = microsecondsOf(targetTime)
    const isCovered = (until: string | null | undefined): boolean =>
      until !== null && until !== undefined && microsecondsOf(until) >= us
    const log = await this.#log().catch(() => null)
    if (
      log?.archive_id !== archive.id ||
      log.state !== 'archiving' ||
      isCovered(log.covered_until)
    ) {
      return
    }
    if (us > Date.now() * 1_000) return
    await this.#mark()
    const deadline = performance.now() + CATCH_UP_MS
    while (performance.now() < deadline && !isCovered((await this.#log())?.covered_until)) {
      await delay(100, undefined, { signal })
    }
  }

  async #log() {
    const [row] = await DirectSession.use(
      this.#deps.direct,
      (session) => session.many(readLogState()),
      { name: RESTORER },
    )
    return row ?? null
  }

  #mark() {
    return DirectSession.use(
      this.#deps.direct,
      (session) => session.many(writeMark(randomUUID())),
      { name: RESTORER },
    )
  }

  /** Those of this database: others of the server may have theirs. */
  async #own(): Promise<SideDatabase[]> {
    const { direct } = this.#deps
    const sides = await listSides(direct)
    return sides.filter(({ database, restore_id }) =>
      [sideName(direct.database, restore_id), oldName(direct.database, restore_id)].includes(
        database,
      ),
    )
  }

  async #find(restoreId: string): Promise<SideDatabase> {
    const sides = await this.#own()
    const found = sides.find(
      ({ restore_id, state }) =>
        restore_id === restoreId && (state === 'ready' || state === 'replaced'),
    )
    if (found) return found
    throw new AppError('not_found', `There is no restored database ${restoreId}.`, {
      hint: 'catalyst://db/backups/restores lists them; they are dropped when they expire.',
    })
  }
}

function isOver({ state, created_at, expires_at }: SideDatabase): boolean {
  const now = Date.now()
  if (state === 'loading' || state === 'drill') return now - Date.parse(created_at) > LEFTOVER_MS
  return now > Date.parse(expires_at)
}

function refuseTablesInSwap({ tables, mode }: RestoreQuery): void {
  if (!tables || mode !== 'swap') return
  throw new AppError('invalid_input', 'Some tables alone cannot take the place of a database.', {
    hint: 'Restore them with mode "side", and copy what you need from there.',
  })
}

/** Times of commits that went back: a moment between them is not one place in the log. */
const clockWarnings = (segments: readonly { max_time_backstep_us: number }[]): string[] => {
  const most = Math.max(0, ...segments.map(({ max_time_backstep_us }) => max_time_backstep_us))
  return most <= 1_000_000
    ? []
    : [
        `The clock of the server went back by ${Math.ceil(most / 1e6)} s in this part of the log: what was committed around then may be left out.`,
      ]
}

const inUse = ({ database, sessions }: SideDatabase): AppError =>
  new AppError('conflict', `${sessions} sessions are in the database ${database}.`, {
    hint: 'Let them end first: catalyst://db/performance/connections shows them.',
    retryable: true,
  })
