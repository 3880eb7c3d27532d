import type { Archive, SegmentEntry } from '../archive/archive.js'
import type { FullManifest, IncrementalManifest, Manifest } from '../archive/manifest.js'
import { Findings } from '../verify/findings.js'
import { checkFull } from '../verify/structure.js'

/** How long backups are kept. */
export interface RetentionPolicy {
  /** Full backups that are always kept. */
  readonly keep_fulls: number
  /** Every instant of so many days stays restorable. */
  readonly keep_days: number
}

/** What may go, and what goes on being there. */
export interface RetentionPlan {
  readonly expired: readonly Manifest[]
  /** Of the log, the oldest first. */
  readonly segments: readonly SegmentEntry[]
  /** Backups that stay, the newest first. */
  readonly kept: readonly Manifest[]
}

const DAY_MS = 86_400_000

/**
 * Decides what is kept: the newest full backups, all of the window, the one from which its first instant is restored,
 * and the newest that was proven to be readable. What cannot be read is never thought to be of use, and never removed.
 */
export async function planRetention(
  archive: Archive,
  { keep_fulls, keep_days }: RetentionPolicy,
  now: Date,
): Promise<RetentionPlan> {
  const fulls: FullManifest[] = []
  for await (const full of archive.fulls()) fulls.push(full)
  // Their ids sort by the clock of the server to the second; the log knows better.
  fulls.sort((a, b) => (a.snapshot.lsn < b.snapshot.lsn ? 1 : -1))
  const begin = now.getTime() - keep_days * DAY_MS
  const isWithin = (full: FullManifest) => Date.parse(full.snapshot.time) > begin
  const kept = new Set(fulls.slice(0, keep_fulls))
  for (const full of fulls) if (isWithin(full)) kept.add(full)
  const earlier = fulls.filter((full) => !isWithin(full))
  for (const full of await anchors(archive, earlier)) kept.add(full)
  const proven = await newestVerified(archive, fulls)
  if (proven) kept.add(proven)
  const keptIds = new Set([...kept].map(({ backup_id }) => backup_id))
  const incrementals = await incrementalsOf(archive)
  const all = [...fulls, ...incrementals]
  const stays = (one: Manifest) =>
    keptIds.has(one.type === 'full' ? one.backup_id : one.base_backup)
  return {
    expired: all.filter((one) => !stays(one)),
    segments: await expiredSegments(archive, [...kept]),
    kept: all.filter(stays).sort((a, b) => (a.backup_id < b.backup_id ? 1 : -1)),
  }
}

/** From the last full backup before the window its first instant is restored; from an earlier one, where that is not whole. */
async function anchors(archive: Archive, earlier: readonly FullManifest[]) {
  const found: FullManifest[] = []
  for (const full of earlier) {
    found.push(full)
    const findings = new Findings()
    await checkFull(archive, full, findings)
    if (full.snapshot.in_log && findings.issues.length === 0) break
  }
  return found
}

async function newestVerified(archive: Archive, fulls: readonly FullManifest[]) {
  for (const full of fulls) {
    const verifications = await archive.verifications(full.backup_id)
    if (verifications.some(({ valid, level }) => valid && level !== 'quick')) return full
  }
  return null
}

async function incrementalsOf(archive: Archive): Promise<IncrementalManifest[]> {
  const found: IncrementalManifest[] = []
  for await (const one of archive.incrementals()) found.push(one)
  return found
}

/** Nothing is restored from before the oldest full backup that is kept. */
async function expiredSegments(archive: Archive, kept: readonly FullManifest[]) {
  const anchored = kept
    .filter(({ snapshot }) => snapshot.in_log)
    .map(({ snapshot }) => snapshot.lsn)
  const [first, ...others] = anchored
  if (first === undefined) return []
  const oldest = others.reduce((least, lsn) => (lsn < least ? lsn : least), first)
  const found: SegmentEntry[] = []
  for await (const segment of archive.segments()) {
    if (segment.end < oldest) found.push(segment)
  }
  return found
}
