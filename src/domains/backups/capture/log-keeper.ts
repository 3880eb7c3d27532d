import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { AppError } from '../../../errors.js'
import { instantText } from '../../../lib/utc-text.js'
import { ObjectMissing, type ObjectStore } from '../../../platform/objects/store.js'
import type { Endpoint } from '../../../platform/postgres/connection.js'
import { isLockTimeout } from '../../../platform/postgres/errors.js'
import { formatLsn, parseLsn } from '../../../platform/postgres/replication/lsn.js'
import { sql } from '../../../platform/postgres/sql.js'
import type { Policy } from '../../../policy.js'
import { Archive } from '../archive/archive.js'
import type { BarrierKind, Sidecar } from '../archive/manifest.js'
import { Leader, LOCKS } from './leader.js'
import { BudgetExceeded, type LogProgress, LogSession } from './session.js'
import * as statements from './sql.js'

export interface LogKeeperDeps {
  readonly direct: Endpoint
  readonly engine: 'embedded' | 'external'
  readonly policy: Policy['backups']
  readonly recipients: readonly string[]
  readonly spool: string
  objects(): Promise<ObjectStore>
  /** The log has broken off, which somebody should know. */
  broken(error: AppError): Promise<void>
}

/** Why no log is kept, and what would change that. */
export class NoLog extends AppError {
  constructor(message: string, hint: string) {
    super('not_supported', message, { hint })
  }
}

/** How soon it is looked again whether a log can be kept. */
const REST_MS = 5_000
/** How long it is waited for the log to begin. */
const BEGIN_MS = 30_000
const MB = 1_048_576

/** Lets exactly one server of a database keep its log, and begins, mends and ends it. */
export class LogKeeper {
  readonly #deps: LogKeeperDeps
  #isLeader = false
  #barriers = 0
  #archive: Archive | null = null
  /** Why the log was given up, for the gap that it leaves. */
  #givenUp: string | null = null

  constructor(deps: LogKeeperDeps) {
    this.#deps = deps
  }

  /** This server is the one of all servers of this database that does what only one must. */
  get isLeader(): boolean {
    return this.#isLeader
  }

  /** How often something came up across which the log does not lead, since this server started. */
  get barriers(): number {
    return this.#barriers
  }

  /**
   * Becomes the leader, if nobody else is, and keeps the log until the signal is aborted or something
   * fails; `works` is called now and then in between.
   */
  async round(signal: AbortSignal, works: () => void): Promise<void> {
    const leader = await Leader.take(this.#deps.direct, LOCKS.log)
    if (!leader) return
    this.#isLeader = true
    const ends = AbortSignal.any([signal, leader.signal])
    try {
      while (!ends.aborted) {
        await this.#keep(leader, ends, works)
        works()
        await delay(REST_MS, undefined, { signal: ends }).catch(() => {})
      }
    } finally {
      this.#isLeader = false
      await leader.release()
    }
  }

  /** The archive of this database, which is begun where there is none, and why no log is kept; null where one is. */
  async prepare(leader: Leader): Promise<{ archive: Archive; noLog: NoLog | null }> {
    const { archive, noLog } = await this.#begin(leader)
    return { archive, noLog: noLog ?? (await this.#begun(leader, archive)) }
  }

  /** From here on whichever server is the leader keeps the log. */
  #begin(leader: Leader): Promise<{ archive: Archive; noLog: NoLog | null }> {
    return leader.alone(LOCKS.beginning, async () => {
      const facts = await leader.one(statements.logFacts())
      const archive = await this.#archiveOf(facts)
      const noLog = this.whyNot(facts) ?? this.#switchedOff()
      if (noLog) return { archive, noLog }
      const publication = statements.publicationOf(archive.id)
      if (facts.publication !== publication) {
        if (facts.publication) await leader.many(statements.dropPublication(facts.publication))
        await leader.many(statements.createPublication(publication))
      }
      await leader.many(statements.publishTables())
      return { archive, noLog: null }
    })
  }

  #switchedOff(): NoLog | null {
    if (this.#deps.policy.enabled !== false) return null
    return new NoLog(
      'The log is switched off: only full backups are taken.',
      'Set backups.enabled in the policy to true or auto.',
    )
  }

  async #begun(leader: Leader, archive: Archive): Promise<NoLog | null> {
    const deadline = performance.now() + BEGIN_MS
    for (;;) {
      const [log] = await leader.many(statements.readLogState())
      const isHere = log?.archive_id === archive.id
      if (isHere && log.state === 'archiving') return null
      if (performance.now() > deadline) {
        const reason = log?.reason ?? 'no server of this database keeps it'
        return new NoLog(
          `The log is not being kept: ${reason}`,
          'Read catalyst://db/backups/latest.',
        )
      }
      await delay(100)
    }
  }

  /** Why no log can be kept, whatever the policy says; null where it can. */
  whyNot(facts: statements.LogFacts): NoLog | null {
    if (!facts.has_schema) {
      return new NoLog(
        'The schema of the product is not there yet.',
        'Run "catalyst-db migrate up".',
      )
    }
    if (facts.in_recovery) {
      return new NoLog('This server is a standby.', 'Let DATABASE_URL name the primary.')
    }
    if (facts.wal_level !== 'logical') {
      return new NoLog(
        `wal_level is ${facts.wal_level}, so that no log can be kept: only full backups are taken.`,
        'alter system set wal_level = logical; then restart PostgreSQL.',
      )
    }
    if (!facts.may_replicate) {
      return new NoLog(
        'The role of DATABASE_URL may not read the log: only full backups are taken.',
        'Let a superuser run: alter role current_user replication.',
      )
    }
    if (facts.slot === null && facts.free_slots < 1) {
      return new NoLog(
        'Every replication slot is in use: only full backups are taken.',
        'Raise max_replication_slots, or drop a slot that nobody uses.',
      )
    }
    return null
  }

  /** A log is to be kept, as far as policy and operator say. */
  #isWanted(facts: statements.LogFacts): boolean {
    if (this.#deps.policy.enabled === false) return false
    return this.#isAlways() || facts.publication !== null
  }

  async #keep(leader: Leader, signal: AbortSignal, works: () => void): Promise<void> {
    const facts = await leader.one(statements.logFacts())
    if (!facts.has_schema) return
    const obstacle = this.whyNot(facts)
    if (!this.#isWanted(facts) || obstacle) {
      const reason = obstacle?.message ?? 'No log is kept before the first create_backup.'
      await this.#tell(leader, { state: 'unavailable', reason })
      return
    }
    try {
      await this.#archiveLog(leader, facts, signal, works)
    } catch (error) {
      if (signal.aborted) return
      await this.#giveUpWhereNeeded(leader, error)
      const reason = error instanceof AppError ? error.message : 'The log is interrupted.'
      await this.#tell(leader, { state: 'paused', reason })
      throw error
    }
  }

  async #archiveLog(
    leader: Leader,
    facts: statements.LogFacts,
    signal: AbortSignal,
    works: () => void,
  ): Promise<void> {
    const { direct, recipients, spool, policy } = this.#deps
    const { archive } = await this.#begin(leader)
    this.#archive = archive
    const place = await this.#place(leader, archive, facts)
    const { last } = place
    await this.#tell(leader, { state: 'archiving', reason: null })
    const session = new LogSession({
      endpoint: direct,
      leader,
      archive,
      facts,
      slot: statements.slotOf(archive.id),
      publication: statements.publicationOf(archive.id),
      start: place.start,
      coveredUntil: last?.covered_until ?? null,
      last:
        last?.schema_fingerprint && last.not_logged_sha256
          ? { fingerprint: last.schema_fingerprint, notLogged: last.not_logged_sha256 }
          : null,
      segmentMs: policy.segment_seconds * 1_000,
      recipients,
      spool: join(spool, archive.id),
      budgetBytes: policy.when_budget_is_full === 'drop_log' ? this.#budget(facts) : null,
      progressed: async (progress) => {
        await this.#progressed(leader, facts, progress)
        if (progress.trouble === null) works()
      },
      barred: (kind, lsn, reason) => this.#bar(archive, kind, lsn, reason),
    })
    await session.run(signal)
  }

  /** The archive of this database in the store: the one its slot is of, else the one it had, else a new one. */
  async #archiveOf(facts: statements.LogFacts): Promise<Archive> {
    const objects = await this.#deps.objects()
    const named = facts.slot ?? facts.publication
    const known = named ? await openArchive(objects, statements.archiveOfName(named)) : null
    if (known && isOf(known, facts)) return known
    const { system_identifier, db_oid, database } = facts
    const created_at = instantText(Date.now())
    const about = { created_at, system_identifier, db_oid, database }
    // The store is another one than before: the log goes on there, under the same name.
    if (facts.slot && !known) {
      const archive_id = statements.archiveOfName(facts.slot)
      return Archive.create(objects, { archive_id, ...about })
    }
    for (const id of (await Archive.ids(objects)).reverse()) {
      const archive = await openArchive(objects, id)
      if (archive && isOf(archive, facts)) return archive
    }
    return Archive.create(objects, { archive_id: randomUUID(), ...about })
  }

  /** Where the log goes on, after the slot is what it has to be. */
  async #place(leader: Leader, archive: Archive, facts: statements.LogFacts) {
    const slot = statements.slotOf(archive.id)
    let last: Sidecar | null = null
    for await (const segment of archive.segments()) last = await lastOf(archive, segment, last)
    const [state] = await leader.many(statements.slotState(slot))
    const gap = gapBefore(state ?? null, { last, facts, givenUp: this.#givenUp })
    if (state && gap === null) {
      const confirmed = parseLsn(state.confirmed_lsn ?? '0/0')
      const start = last && last.end_lsn > confirmed ? last.end_lsn : confirmed
      return { start, last }
    }
    const end = last?.end_lsn ?? (await newestSnapshot(archive))
    if (end !== null)
      await this.#bar(archive, 'gap', end, gap ?? 'The slot of the log was dropped.')
    let start = parseLsn(state?.confirmed_lsn ?? '0/0')
    if (!state || state.wal_status === 'lost' || isOtherTimeline(last, facts)) {
      if (state) await leader.many(statements.dropSlot(slot))
      start = await createSlot(leader, slot)
    }
    this.#givenUp = null
    return { start, last: null }
  }

  /** Says, once, that no restore leads across a place. */
  async #bar(archive: Archive, kind: BarrierKind, lsn: bigint, reason: string): Promise<void> {
    const known = await archive.barriers()
    if (known.some((barrier) => barrier.kind === kind && barrier.lsn === lsn)) return
    const at = instantText(Date.now())
    await archive.putBarrier({ archive_id: archive.id, lsn, at, kind, reason })
    this.#barriers++
  }

  /** Drops the slot where it has outgrown its budget, also while the store cannot be asked for anything. */
  async #giveUpWhereNeeded(leader: Leader, error: unknown): Promise<void> {
    if (leader.signal.aborted || this.#deps.policy.when_budget_is_full !== 'drop_log') return
    const facts = await leader.one(statements.logFacts())
    if (facts.slot === null) return
    const [state] = await leader.many(statements.slotState(facts.slot))
    const isOver = state !== undefined && state.retained_bytes > this.#budget(facts)
    const isAway = error instanceof AppError && error.code === 'unavailable'
    if (!(error instanceof BudgetExceeded) && !(isOver && isAway)) return
    const exceeded =
      error instanceof BudgetExceeded
        ? error
        : new BudgetExceeded(state?.retained_bytes ?? 0, error)
    await this.#dropSlot(leader, facts.slot)
    this.#givenUp = exceeded.message
    await this.#deps.broken(exceeded)
  }

  #budget({ max_slot_wal_keep_size: most }: statements.LogFacts): number {
    const wanted = this.#deps.policy.wal_budget_mb
    return (most >= 0 ? Math.min(most, wanted) : wanted) * MB
  }

  #progressed(leader: Leader, facts: statements.LogFacts, progress: LogProgress): Promise<void> {
    return this.#tell(leader, {
      state: progress.trouble === null ? 'archiving' : 'paused',
      reason: progress.trouble,
      covered_until: progress.coveredUntil,
      archived_lsn: formatLsn(progress.archived),
      last_segment_at: progress.lastSegmentAt,
      budget_bytes: this.#budget(facts),
    })
  }

  /**
   * Ends the log: slot and publication are dropped. What was archived stays, and can be restored up to its end.
   *
   * @throws AppError `conflict` while a backup is taken
   */
  async stop(): Promise<{
    slot: string | null
    publication: string | null
    covered_until: string | null
    begins_again: string
  }> {
    const leader = await Leader.take(this.#deps.direct, LOCKS.backup)
    if (!leader) {
      throw new AppError('conflict', 'A backup of this database is being taken.', {
        hint: 'Wait for it, then stop the log.',
        retryable: true,
      })
    }
    try {
      const { slot, publication } = await leader.one(statements.logFacts())
      const [log] = await leader.many(statements.readLogState())
      if (publication) await leader.many(statements.dropPublication(publication))
      if (slot) await this.#dropSlot(leader, slot)
      return {
        slot,
        publication,
        covered_until: log?.covered_until ?? null,
        begins_again: this.#isAlways()
          ? 'at once, unless backups.enabled is false'
          : 'with the next create_backup',
      }
    } finally {
      await leader.release()
    }
  }

  /** A log is kept without anybody asking for one. */
  #isAlways(): boolean {
    const { policy, engine } = this.#deps
    return policy.enabled === true || (policy.enabled === 'auto' && engine === 'embedded')
  }

  /** Whoever receives from it is sent away. */
  async #dropSlot(leader: Leader, slot: string): Promise<void> {
    for (;;) {
      await leader.many(statements.endReceiver(slot))
      if ((await leader.many(statements.dropSlotUnlessActive(slot)))[0]) return
      if ((await leader.many(statements.slotState(slot))).length === 0) return
      await delay(50)
    }
  }

  async #tell(
    leader: Leader,
    state: Pick<statements.LogState, 'state' | 'reason'> & Partial<statements.LogState>,
  ): Promise<void> {
    if (leader.signal.aborted) return
    await leader.many(
      statements.writeLogState({
        archive_id: this.#archive?.id ?? null,
        covered_until: null,
        archived_lsn: null,
        last_segment_at: null,
        budget_bytes: null,
        ...state,
      }),
    )
  }
}

async function openArchive(objects: ObjectStore, id: string): Promise<Archive | null> {
  try {
    return await Archive.open(objects, id)
  } catch (error) {
    if (error instanceof ObjectMissing) return null
    throw error
  }
}

const isOf = ({ info }: Archive, facts: statements.LogFacts): boolean =>
  info.system_identifier === facts.system_identifier && info.db_oid === facts.db_oid

/** Only the last one is read. */
async function lastOf(
  archive: Archive,
  segment: { readonly start: bigint; readonly end: bigint },
  last: Sidecar | null,
): Promise<Sidecar | null> {
  return last && last.end_lsn >= segment.end ? last : archive.sidecar(segment)
}

async function newestSnapshot(archive: Archive): Promise<bigint | null> {
  for await (const { snapshot } of archive.fulls()) return snapshot.lsn
  return null
}

const isOtherTimeline = (last: Sidecar | null, { timeline }: statements.LogFacts): boolean =>
  last !== null && last.timeline !== timeline

/** Why the log does not go on where it ended in the store; null where it does. */
function gapBefore(
  state: statements.SlotState | null,
  {
    last,
    facts,
    givenUp,
  }: {
    readonly last: Sidecar | null
    readonly facts: statements.LogFacts
    readonly givenUp: string | null
  },
): string | null {
  if (givenUp !== null) return givenUp
  if (!state) return 'The slot of the log was dropped.'
  if (state.wal_status === 'lost') {
    return 'PostgreSQL gave up the slot of the log: more WAL waited for it than max_slot_wal_keep_size.'
  }
  if (isOtherTimeline(last, facts)) {
    return `Another server took over: its history is timeline ${facts.timeline}.`
  }
  if (last && state.confirmed_lsn !== null && parseLsn(state.confirmed_lsn) > last.end_lsn) {
    return 'The slot of the log is further than what is in the store: what lies between is not in it.'
  }
  return null
}

/** Makes the slot, which waits until every open transaction has ended: longer than so is told. */
async function createSlot(leader: Leader, slot: string): Promise<bigint> {
  await leader.many(sql.trusted(`set lock_timeout = '10s'`))
  try {
    const { lsn } = await leader.one(statements.createSlot(slot))
    await leader.many(sql.trusted(`set lock_timeout = 0`))
    return parseLsn(lsn)
  } catch (error) {
    if (!(error instanceof AppError) || !isLockTimeout(error)) throw error
    throw new AppError(
      'unavailable',
      'The log cannot begin while a transaction is open that has written: it waited for ten seconds.',
      {
        hint: 'See catalyst://db/performance/connections for the oldest transaction, and end it.',
        cause: error,
      },
    )
  }
}
