import { AppError } from '../../../errors.js'
import { instantOf, microsecondsOf } from '../../../lib/microseconds.js'
import { ObjectDamaged, open } from '../../../platform/objects/pipeline.js'
import { formatLsn } from '../../../platform/postgres/replication/lsn.js'
import { decode } from '../../../platform/postgres/replication/pgoutput.js'
import type { Archive } from '../archive/archive.js'
import type { Barrier, FullManifest, Sidecar } from '../archive/manifest.js'
import { frameBatches } from '../archive/segment.js'
import type { Stop } from './replay.js'

/** What is to be restored. */
export interface Wanted {
  readonly backupId: string
  /** ISO 8601; null: the moment of the backup itself. */
  readonly targetTime: string | null
}

/** How it can be: from which full backup, over which segments of the log, up to where. */
export interface Plan {
  readonly full: FullManifest
  readonly segments: readonly Sidecar[]
  /** Null where the full backup alone is what is wanted. */
  readonly stop: Stop | null
  readonly recoveredTo: { readonly time: string; readonly lsn: bigint }
  /** The first commit of others that is left out; null when the log has none. */
  readonly nextCommitAt: string | null
  /** Read from the store. */
  readonly bytes: number
}

/** Throughput that was seen on two busy cores, in bytes of plain data a second. */
const LOAD_RATE = 20e6
const REPLAY_RATE = 4e6
/** To make a database and its schema. */
const FIXED_MS = 4_000

/** About how long a restore takes, in milliseconds. */
export const estimateOf = ({ full, segments }: Plan): number =>
  Math.round(
    FIXED_MS +
      (full.totals.plain_bytes / LOAD_RATE) * 1_000 +
      (segments.reduce((sum, { plain_bytes }) => sum + plain_bytes, 0) / REPLAY_RATE) * 1_000,
  )

/**
 * Finds the full backup and the log that lead to what is wanted; reads no more of the log than where it ends.
 *
 * @throws AppError `precondition_failed` when nothing does, with the reason and the window that can be restored
 */
export async function planRestore(
  archive: Archive,
  wanted: Wanted,
  identities: readonly string[],
): Promise<Plan> {
  const given = await archive.manifest(wanted.backupId)
  if (given.archive_id !== archive.id || given.backup_id !== wanted.backupId) {
    throw new ObjectDamaged(archive.keys.manifest(wanted.backupId), 'it is that of another backup')
  }
  if (given.type === 'full') {
    if (wanted.targetTime === null) return alone(given)
    const stop = { kind: 'time', us: microsecondsOf(wanted.targetTime) } as const
    return complete(archive, await attempt(archive, given, stop), identities)
  }
  const stop: Stop =
    wanted.targetTime === null
      ? { kind: 'lsn', lsn: given.log.to_lsn }
      : { kind: 'time', us: microsecondsOf(wanted.targetTime) }
  let refusal: unknown
  for await (const full of archive.fulls()) {
    const isLater =
      stop.kind === 'lsn'
        ? full.snapshot.lsn > stop.lsn
        : microsecondsOf(full.snapshot.time) > stop.us
    if (isLater || !full.snapshot.in_log) continue
    try {
      return await complete(archive, await attempt(archive, full, stop), identities)
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'precondition_failed') throw error
      refusal ??= error
    }
  }
  throw refusal ?? (await unreachable(archive, 'Every full backup is later than that moment.'))
}

const alone = (full: FullManifest): Plan => ({
  full,
  segments: [],
  stop: null,
  recoveredTo: { time: full.snapshot.time, lsn: full.snapshot.lsn },
  nextCommitAt: null,
  bytes: full.totals.stored_bytes,
})

interface Chain {
  readonly full: FullManifest
  readonly segments: readonly Sidecar[]
  readonly stop: Stop
}

/** The segments from one full backup up to where it is to stop, without a gap and without a barrier. */
async function attempt(archive: Archive, full: FullManifest, stop: Stop): Promise<Chain> {
  const { snapshot, server } = full
  if (stop.kind === 'time' && microsecondsOf(snapshot.time) > stop.us) {
    throw await unreachable(
      archive,
      `The full backup ${full.backup_id} is of ${snapshot.time}, which is later.`,
    )
  }
  if (!snapshot.in_log) {
    throw await unreachable(
      archive,
      `No log goes on from the full backup ${full.backup_id}, so only its own moment can be restored: leave target_time out.`,
    )
  }
  const segments: Sidecar[] = []
  let reached = snapshot.lsn
  let isCovered = stop.kind === 'lsn' && stop.lsn <= reached
  for await (const segment of archive.sidecars(snapshot.lsn)) {
    if (isCovered) break
    const isSame =
      segment.archive_id === archive.id &&
      segment.system_identifier === server.system_identifier &&
      segment.timeline === server.timeline
    if (segment.start_lsn > reached || !isSame) {
      throw await unreachable(archive, `The log has a gap behind ${formatLsn(reached)}.`)
    }
    segments.push(segment)
    if (segment.end_lsn > reached) reached = segment.end_lsn
    isCovered =
      stop.kind === 'lsn' ? reached >= stop.lsn : microsecondsOf(segment.covered_until) >= stop.us
  }
  if (!isCovered) throw await unreachable(archive, 'The log does not reach so far yet.')
  return { full, segments, stop }
}

async function complete(
  archive: Archive,
  { full, segments, stop }: Chain,
  identities: readonly string[],
): Promise<Plan> {
  const place = await placeOf(archive, { full, segments, stop }, identities)
  for (const barrier of await archive.barriers()) {
    if (isBetween(barrier, full, stop, place.recoveredTo.lsn)) {
      throw await unreachable(
        archive,
        `The log does not lead over ${barrier.at} (${barrier.kind}: ${barrier.reason})`,
      )
    }
  }
  const bytes = segments.reduce((sum, one) => sum + one.stored_bytes, full.totals.stored_bytes)
  return { full, segments, stop, ...place, bytes }
}

/** What is not told happened before the last commit that is wanted, or before the wanted time. */
function isBetween(barrier: Barrier, full: FullManifest, stop: Stop, last: bigint): boolean {
  if (barrier.lsn < full.snapshot.lsn) return false
  if (barrier.lsn <= last) return true
  return stop.kind === 'time' && microsecondsOf(barrier.at) <= stop.us
}

/** Where exactly it stops: the last commit that is wanted, and the first that is not. */
async function placeOf(archive: Archive, chain: Chain, identities: readonly string[]) {
  const { full, segments, stop } = chain
  let last = { time: full.snapshot.time, lsn: full.snapshot.lsn }
  for (const segment of segments) {
    const { last_commit: end, max_time_backstep_us: backstep } = segment
    if (!end) continue
    const reaches =
      stop.kind === 'lsn' ? end.lsn >= stop.lsn : microsecondsOf(end.time) + backstep > stop.us
    if (!reaches) {
      if (end.lsn >= full.snapshot.lsn) last = { time: end.time, lsn: end.lsn }
      continue
    }
    const { codec, encryption, key } = segment
    const source = await open(
      archive.objects,
      key,
      { codec, encrypted: encryption !== null, identities },
      segment,
    )
    const found = await boundary(source, full.snapshot.lsn, stop)
    if (found.last) last = { time: instantOf(found.last.us), lsn: found.last.lsn }
    if (found.isPassed) {
      return { recoveredTo: last, nextCommitAt: found.next === null ? null : instantOf(found.next) }
    }
  }
  return { recoveredTo: last, nextCommitAt: null }
}

/** Looks through one segment; our own marks are nobody's commits. */
async function boundary(source: AsyncIterable<Buffer>, from: bigint, stop: Stop) {
  let last: { lsn: bigint; us: number } | null = null
  let begun: { lsn: bigint; us: number } | null = null
  let isPassed = false
  const marks = new Set<number>()
  for await (const batch of frameBatches(source as Parameters<typeof frameBatches>[0])) {
    for (const { message } of batch) {
      const kind = String.fromCharCode(message[0] ?? 0)
      if (kind === 'B') {
        const begin = decode(message)
        if (begin.kind !== 'begin') continue
        begun = { lsn: begin.commitLsn, us: begin.committedUs }
        if (begun.lsn < from) continue
        isPassed ||= stop.kind === 'lsn' ? begun.lsn >= stop.lsn : begun.us > stop.us
        if (!isPassed) last = begun
      } else if (kind === 'R') {
        const relation = decode(message)
        if (relation.kind !== 'relation') continue
        const isMark = relation.schema === 'catalyst' && relation.name === 'log_mark'
        if (isMark) marks.add(relation.id)
        else marks.delete(relation.id)
      } else if (isPassed && begun && 'IUDTM'.includes(kind)) {
        const isMark = (kind === 'I' || kind === 'U') && marks.has(message.readUInt32BE(1))
        if (!isMark) return { last, isPassed, next: begun.us }
      }
    }
  }
  return { last, isPassed, next: null }
}

/** Says why, and what can be restored instead. */
async function unreachable(archive: Archive, why: string): Promise<AppError> {
  const { oldest, newest } = await windowOf(archive)
  return new AppError('precondition_failed', `That moment cannot be restored. ${why}`, {
    hint:
      oldest === null
        ? 'There is no full backup: take one with create_backup.'
        : `What can be restored lies between ${oldest} and ${newest}; catalyst://db/backups/history has the backups.`,
  })
}

/** The first and the last moment that can be restored, but for gaps between them. */
async function windowOf(archive: Archive) {
  let oldest: string | null = null
  let newest: string | null = null
  for await (const full of archive.fulls()) {
    oldest = full.snapshot.time
    newest ??= full.snapshot.time
  }
  for await (const { covered_until } of archive.sidecars()) {
    if (newest === null || microsecondsOf(covered_until) > microsecondsOf(newest)) {
      newest = covered_until
    }
  }
  return { oldest, newest }
}
