import { createHash, randomUUID } from 'node:crypto'
import { mkdir, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { AppError } from '../../../errors.js'
import { Backoff } from '../../../lib/backoff.js'
import { instantText } from '../../../lib/utc-text.js'
import { WakeUp } from '../../../lib/wake-up.js'
import { ObjectDamaged, store } from '../../../platform/objects/pipeline.js'
import type { Endpoint } from '../../../platform/postgres/connection.js'
import { parseLsn } from '../../../platform/postgres/replication/lsn.js'
import { LogReceiver } from '../../../platform/postgres/replication/receiver.js'
import type { Archive } from '../archive/archive.js'
import { suffix } from '../archive/keys.js'
import type { BarrierKind } from '../archive/manifest.js'
import type { Mark } from '../archive/signs.js'
import type { Leader } from './leader.js'
import { type Recorded, Recorder, SpoolFailed } from './recorder.js'
import * as statements from './sql.js'

/** How far the log is in the store. */
export interface LogProgress {
  /** Everything committed before it is in the store, by the server's clock. */
  readonly coveredUntil: string | null
  readonly archived: bigint
  readonly lastSegmentAt: string | null
  /** Why the store does not take it; null while it does. */
  readonly trouble: string | null
}

export interface SessionOptions {
  readonly endpoint: Endpoint
  readonly leader: Leader
  readonly archive: Archive
  readonly facts: statements.LogFacts
  readonly slot: string
  readonly publication: string
  readonly start: bigint
  /** Everything committed before it is in the store already. */
  readonly coveredUntil: string | null
  /** What was so at the last mark that is in the store; null where nothing is known. */
  readonly last: { readonly fingerprint: string; readonly notLogged: string } | null
  readonly segmentMs: number
  readonly recipients: readonly string[]
  readonly spool: string
  /** How much the slot may keep back while the store is away; null is without limit. */
  readonly budgetBytes: number | null
  /** Each time it has come further, or not. */
  progressed(progress: LogProgress): Promise<void>
  /** The log does not lead across this place. */
  barred(kind: BarrierKind, lsn: bigint, reason: string): Promise<void>
}

/** The log outgrew what it may keep back: the slot is to be dropped. */
export class BudgetExceeded extends AppError {
  constructor(bytes: number, cause: unknown) {
    super(
      'unavailable',
      `The log did not get into the store until ${Math.round(bytes / 1_048_576)} MB of WAL waited for it, more than backups.wal_budget_mb: it was dropped so that the database goes on.`,
      { hint: 'Moments after it become restorable with the next full backup.', cause },
    )
  }
}

const TICK_MS = 250
const GUARD_MS = 5_000
const REPORT_MS = 5_000
/** A segment is cut at this size, whatever the time. */
const SEGMENT_BYTES = 16 * 1024 * 1024
/** The slot may stay so far behind while nothing happens in this database: no object for nothing. */
const IDLE_BYTES = 16n * 1024n * 1024n
/** One is put into the store while the next comes. */
const SEGMENTS_WAITING = 2
/** How long it is waited for the silence to be certain. */
const SILENCE_MS = 1_000
/** Of the time between two segments, as the store and the way to it need some. */
const SHARE = 0.7
/** Marks between a change of the schema and when it shows: the mark may have looked just before. */
const MARKS_UNTIL_SHOWN = 2

/** Keeps the log of one database in the store, for as long as it is the leader. */
export class LogSession {
  readonly #options: SessionOptions
  readonly #recorder: Recorder
  readonly #stopped = new AbortController()
  readonly #wake = new WakeUp()
  #receiver: LogReceiver | null = null
  #failure: unknown = null
  #files = 0
  #waiting = 0
  #uploads: Promise<void> = Promise.resolve()
  #pendingMark: string | null = null
  #advancedAt = 0
  #reportedAt = 0
  #guardedAt = 0
  /** How many changes of the schema have come. */
  #changes = 0
  /** The schema as of a figure of the catalog. */
  #seen: { readonly catalog: string; readonly fingerprint: string } | null = null
  #last: SessionOptions['last']
  /** Of the last two marks: the figures of the catalog may be a moment late. */
  #markLsns: readonly [bigint, bigint]
  /** Changes of the schema that the log told and no mark has shown yet; those of statements that end later stay. */
  #told: { marks: number; isLate: boolean } | null = null
  #progress: LogProgress

  constructor(options: SessionOptions) {
    this.#options = options
    this.#last = options.last
    this.#markLsns = [options.start, options.start]
    const { facts, archive, publication, start } = options
    const { coveredUntil } = options
    this.#progress = { coveredUntil, archived: start, lastSegmentAt: null, trouble: null }
    this.#recorder = new Recorder({
      header: {
        archive_id: archive.id,
        system_identifier: facts.system_identifier,
        timeline: facts.timeline,
        publication,
        proto: 1,
      },
      start,
      newFile: () => join(options.spool, `${String(this.#files++).padStart(8, '0')}.pgo`),
      marked: (mark) => this.#marked(mark),
      // The figures of the catalog tell it some seconds later.
      changed: () => {
        this.#changes++
        this.#seen = null
      },
    })
  }

  /**
   * Runs until the signal is aborted, or it cannot go on.
   *
   * @throws BudgetExceeded; else why it ended
   */
  async run(signal: AbortSignal): Promise<void> {
    const { endpoint, slot, publication, start, spool, leader } = this.#options
    const stop = (): void => {
      // PostgreSQL does not shut down while somebody receives who has not confirmed everything.
      this.#receiver?.close()
      this.#stopped.abort()
      this.#wake.call()
    }
    signal.addEventListener('abort', stop, { once: true })
    try {
      await emptied(spool)
      for (const { marks_sha256 } of await leader.many(statements.schemaProofs())) {
        this.#recorder.trust(marks_sha256)
      }
      this.#receiver = await LogReceiver.start(
        endpoint,
        { slot, publication, start },
        {
          message: (lsn, message) => this.#take(lsn, message),
          reached: (lsn) => this.#recorder.reach(lsn),
          ended: (error) => this.#fail(error),
        },
      )
      while (!signal.aborted && this.#failure === null) {
        await this.#wake.rest(TICK_MS)
        this.#wake.answer()
        if (signal.aborted || this.#failure !== null) break
        await this.#tick()
      }
      if (this.#failure !== null) throw this.#failure
    } finally {
      signal.removeEventListener('abort', stop)
      stop()
      await this.#uploads.catch(() => {})
      await this.#recorder.abandon()
      // What is left is removed when the log begins again.
      await rm(spool, { recursive: true, force: true }).catch(() => {})
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= error
    this.#wake.call()
  }

  #take(lsn: bigint, message: Buffer): void {
    this.#recorder.take(lsn, message)
    if (this.#recorder.bytes >= SEGMENT_BYTES && this.#recorder.isBetween) this.#cut(null)
    this.#regulate()
  }

  /** What the spool cannot take stays with PostgreSQL. */
  #regulate(): void {
    if (this.#waiting >= SEGMENTS_WAITING || this.#recorder.isFull) this.#receiver?.pause()
    else this.#receiver?.resume()
  }

  async #tick(): Promise<void> {
    const now = performance.now()
    this.#regulate()
    if (now - this.#reportedAt >= REPORT_MS) {
      this.#reportedAt = now
      this.#receiver?.report()
    }
    if (now - this.#guardedAt >= GUARD_MS) {
      this.#guardedAt = now
      await this.#guard()
    }
    if (now - this.#advancedAt >= this.#options.segmentMs * SHARE) {
      this.#advancedAt = now
      await this.#advance()
    }
  }

  /** The slot may have been lost or dropped, and must not fill the disk. */
  async #guard(): Promise<void> {
    const { leader, slot, budgetBytes } = this.#options
    const [state] = await leader.many(statements.slotState(slot))
    if (!state) throw new Error('the slot of the log was dropped')
    if (state.wal_status === 'lost') throw new Error('PostgreSQL has given up the slot of the log')
    const { trouble } = this.#progress
    if (trouble !== null && budgetBytes !== null && state.retained_bytes > budgetBytes) {
      throw new BudgetExceeded(state.retained_bytes, new Error(trouble))
    }
  }

  /** Covers everything until now: by a mark, or by certainty that nothing has happened. */
  async #advance(): Promise<void> {
    if (this.#pendingMark !== null || this.#waiting >= SEGMENTS_WAITING) return
    const { leader, publication } = this.#options
    const { differs } = await leader.one(statements.isUnpublished(publication))
    if (differs) await leader.many(statements.publishTables())
    const end = await leader.one(statements.logEnd())
    const isSame = end.catalog === this.#seen?.catalog
    if (!isSame || !(await this.#isSilentUntil(parseLsn(end.lsn)))) return this.#mark(end.catalog)
    if (this.#waiting > 0) return
    if (this.#recorder.reached - this.#recorder.end > IDLE_BYTES) {
      this.#cut({ at: end.at, isSilence: true })
    } else await this.#report({ coveredUntil: end.at })
  }

  async #isSilentUntil(lsn: bigint): Promise<boolean> {
    const deadline = performance.now() + SILENCE_MS
    const recorder = this.#recorder
    while (!recorder.hasNews && recorder.reached < lsn && performance.now() < deadline) {
      this.#receiver?.report({ askBack: true })
      await delay(20)
    }
    return !recorder.hasNews && recorder.reached >= lsn
  }

  async #mark(catalog: string): Promise<void> {
    const id = randomUUID()
    this.#pendingMark = id
    const known = this.#seen?.catalog === catalog ? this.#seen.fingerprint : null
    const { leader } = this.#options
    const changes = this.#changes
    const { schema_fingerprint } = await leader.one(statements.writeMark(id, known))
    if (changes === this.#changes) this.#seen = { catalog, fingerprint: schema_fingerprint }
  }

  /** Everything up to a mark is one segment, whoever has made the mark. */
  #marked(mark: Mark): void {
    if (mark.mark_id === this.#pendingMark) this.#pendingMark = null
    this.#cut({ at: mark.at, isSilence: false })
  }

  #cut(covered: { readonly at: string; readonly isSilence: boolean } | null): void {
    const end = covered?.isSilence ? this.#recorder.reached : undefined
    const recorded = this.#recorder.cut(end)
    // What is before it may wait for the store.
    recorded.catch((error: unknown) => this.#fail(error))
    this.#waiting++
    this.#uploads = this.#uploads
      .then(async () => {
        const segment = await recorded
        if (segment) await this.#keep(segment, covered?.at ?? null)
      })
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        this.#waiting--
        this.#regulate()
      })
  }

  /** Puts a segment into the store, again until it is there; only then PostgreSQL may forget it. */
  async #keep(segment: Recorded, coveredUntil: string | null): Promise<void> {
    const { signal } = this.#stopped
    const backoff = new Backoff({ firstMs: 250, maxMs: 15_000 })
    for (;;) {
      signal.throwIfAborted()
      try {
        await this.#store(segment, coveredUntil, signal)
        break
      } catch (error) {
        signal.throwIfAborted()
        if (error instanceof SpoolFailed) throw error
        await this.#report({ trouble: toldOf(error) })
        await delay(backoff.next(), undefined, { signal })
      }
    }
    this.#receiver?.confirm(segment.end)
    await rm(segment.file, { force: true }).catch(spoolFailed)
    await this.#report({
      archived: segment.end,
      lastSegmentAt: instantText(Date.now()),
      trouble: null,
      ...(coveredUntil === null ? {} : { coveredUntil }),
    })
  }

  async #store(segment: Recorded, covered: string | null, signal: AbortSignal): Promise<void> {
    const { archive, recipients, facts } = this.#options
    const { objects, keys } = archive
    const encrypted = recipients.length > 0
    const ending = suffix({ codec: 'br', encrypted })
    const key = keys.segment(segment, ending)
    const file = await open(segment.file).catch(spoolFailed)
    const sealed = await store(objects, key, file.createReadStream(), {
      codec: 'br',
      recipients,
      signal,
    }).finally(() => file.close())
    const found = await objects.head(key)
    if (found?.bytes !== sealed.stored_bytes) {
      throw new ObjectDamaged(key, `it has ${found?.bytes ?? 0} bytes after it was written`)
    }
    await this.#follow(segment)
    const { first, last } = segment
    await archive.putSidecar({
      archive_id: archive.id,
      key,
      system_identifier: facts.system_identifier,
      timeline: facts.timeline,
      start_lsn: segment.start,
      end_lsn: segment.end,
      commits: segment.commits,
      first_commit: first && { lsn: first.lsn, time: microText(first.us) },
      last_commit: last && { lsn: last.lsn, time: microText(last.us) },
      covered_until: covered ?? this.#progress.coveredUntil ?? '1970-01-01T00:00:00Z',
      max_time_backstep_us: segment.maxBackstepUs,
      relations: [...segment.relations],
      has_ddl: segment.signs.some(({ kind }) => kind === 'schema'),
      schema_fingerprint: this.#last?.fingerprint ?? null,
      not_logged_sha256: this.#last?.notLogged ?? null,
      codec: 'br',
      encryption: encrypted
        ? { scheme: 'age-v1', recipients_fp: recipients.map((one) => sha256(one)) }
        : null,
      ...sealed,
    })
  }

  /** What the log says of the schema: where it does not say all, it does not lead across. */
  async #follow({ signs }: Recorded): Promise<void> {
    const { barred } = this.#options
    for (const sign of signs) {
      if (sign.kind === 'schema') {
        const reason = REASONS[sign.change.replay]
        if (reason) await barred(reason.kind, sign.lsn, reason.text)
        const { sql } = sign.change
        if (sql !== '') this.#told = { marks: 0, isLate: /\bconcurrently\b/i.test(sql) }
        continue
      }
      const { mark, lsn } = sign
      const now = {
        fingerprint: mark.schema_fingerprint,
        notLogged: sha256(JSON.stringify(mark.not_logged)),
      }
      const last = this.#last
      if (last && last.fingerprint !== now.fingerprint && !this.#told) {
        await barred(
          'out_of_band_ddl',
          this.#markLsns[0],
          'The schema was changed without run_migrations, so that the log does not tell how.',
        )
      }
      if (last && last.notLogged !== now.notLogged && mark.not_logged.length > 0) {
        await barred(
          'unpublished_table',
          this.#markLsns[0],
          'Rows of other tables than before are not in the log: they have neither a key nor a replica identity.',
        )
      }
      if (this.#told) {
        this.#told.marks++
        const hasShown = last?.fingerprint !== now.fingerprint
        const isOver = !this.#told.isLate && this.#told.marks >= MARKS_UNTIL_SHOWN
        if (hasShown || isOver) this.#told = null
      }
      this.#last = now
      this.#markLsns = [this.#markLsns[1], lsn]
    }
  }

  async #report(change: Partial<LogProgress>): Promise<void> {
    this.#progress = { ...this.#progress, ...change }
    await this.#options.progressed(this.#progress)
  }
}

/** Why a change of the schema is not done again where the log is replayed. */
const REASONS: Readonly<Record<string, { readonly kind: BarrierKind; readonly text: string }>> = {
  opaque: {
    kind: 'opaque_ddl',
    text: 'A migration ran a block or procedure whose effect on the schema the log cannot tell.',
  },
  volatile: {
    kind: 'volatile_rewrite',
    text: 'A migration filled a column with what a function answered at that moment.',
  },
  unpublished: {
    kind: 'unpublished_table',
    text: 'A table joined or left the log with rows that the log does not tell.',
  },
}

const spoolFailed = (error: unknown): never => {
  throw new SpoolFailed(error)
}

/** A folder with nothing in it. */
async function emptied(folder: string): Promise<void> {
  try {
    await rm(folder, { recursive: true, force: true })
    await mkdir(folder, { recursive: true, mode: 0o700 })
  } catch (error) {
    spoolFailed(error)
  }
}

const toldOf = (error: unknown): string =>
  error instanceof AppError ? error.message : 'A segment of the log could not be stored.'

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/** Microseconds since 1970 as an instant in UTC. */
function microText(us: number): string {
  const seconds = Math.floor(us / 1_000_000)
  const fraction = String(us - seconds * 1_000_000).padStart(6, '0')
  return `${new Date(seconds * 1_000).toISOString().slice(0, 19)}.${fraction}Z`
}
