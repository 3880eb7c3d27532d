import { formatLsn } from '../../../platform/postgres/replication/lsn.js'
import type { Archive, SegmentEntry } from '../archive/archive.js'
import type { Barrier, FullManifest, IncrementalManifest, Sidecar } from '../archive/manifest.js'
import type { Findings } from './findings.js'

/** From where to where the log must lead. */
export interface Span {
  readonly from: bigint
  /** Null: as far as there is one. */
  readonly to: bigint | null
}

/** The objects of a full backup are those that its manifest names, each with its size. */
export async function checkFull(
  archive: Archive,
  manifest: FullManifest,
  findings: Findings,
): Promise<void> {
  const { objects, keys } = archive
  const prefix = keys.backup(manifest.backup_id)
  const stored = new Map<string, number>()
  for await (const { key, bytes } of objects.list(prefix)) stored.set(key, bytes)
  for (const { key, stored_bytes } of manifest.objects) {
    const bytes = stored.get(key)
    findings.saw(bytes ?? 0)
    if (bytes === undefined) findings.issue(`The object ${key} is missing.`)
    else if (bytes !== stored_bytes) findings.issue(differs(key, bytes, stored_bytes))
  }
}

/** What an incremental backup seals is there, as it was when it was sealed. */
export async function checkIncremental(
  archive: Archive,
  manifest: IncrementalManifest,
  findings: Findings,
): Promise<void> {
  const { segments } = manifest.log
  for (const key of segments) {
    const named = archive.keys.parseLog(key)
    if (!named || named.isSidecar) {
      findings.issue(`The manifest of ${manifest.backup_id} names ${key}, which is no segment.`)
      continue
    }
    const sidecar = archive.keys.sidecar(named)
    if (!(await archive.objects.head(sidecar))) findings.issue(`The object ${sidecar} is missing.`)
  }
}

/**
 * The log leads without a gap from one place to another, and every segment of it is there with its size.
 *
 * @returns the segments of it that can be read
 */
export async function checkLog(
  archive: Archive,
  { from, to }: Span,
  server: Pick<FullManifest['server'], 'system_identifier' | 'timeline'>,
  findings: Findings,
): Promise<Sidecar[]> {
  const stored = new Map<string, number>()
  const entries: SegmentEntry[] = []
  for await (const { key, bytes } of archive.objects.list(archive.keys.log)) {
    const name = archive.keys.parseLog(key)
    if (!name || name.end <= from || (to !== null && name.start >= to)) continue
    if (name.isSidecar) entries.push({ start: name.start, end: name.end })
    else stored.set(key, bytes)
  }
  const sidecars: Sidecar[] = []
  let reached = from
  for (const entry of entries) {
    if (entry.start > reached) findings.issue(gap(reached, entry.start))
    if (entry.end > reached) reached = entry.end
    const sidecar = await findings.look(archive.sidecar(entry))
    if (!sidecar) continue
    const bytes = stored.get(sidecar.key)
    findings.saw(bytes ?? 0)
    if (bytes === undefined) findings.issue(`The object ${sidecar.key} is missing.`)
    else if (bytes !== sidecar.stored_bytes) {
      findings.issue(differs(sidecar.key, bytes, sidecar.stored_bytes))
    } else if (sidecar.system_identifier !== server.system_identifier) {
      findings.issue(`The segment ${sidecar.key} is of another server.`)
    } else if (sidecar.timeline !== server.timeline) {
      findings.issue(`The segment ${sidecar.key} is of another timeline.`)
    } else sidecars.push(sidecar)
  }
  if (to !== null && reached < to) findings.issue(gap(reached, to))
  return sidecars
}

/** The log of a backup does not tell everything across a barrier. */
export async function checkBarriers(
  archive: Archive,
  { from, to }: Span,
  findings: Findings,
): Promise<Barrier[]> {
  const barriers = (await findings.look(archive.barriers())) ?? []
  return barriers.filter(({ lsn }) => lsn > from && (to === null || lsn <= to))
}

const gap = (from: bigint, to: bigint): string =>
  `The log has a gap from ${formatLsn(from)} to ${formatLsn(to)}.`

const differs = (key: string, is: number, was: number): string =>
  `The object ${key} has ${is} bytes instead of ${was}.`
