import type { Clock } from '../../../lib/clock.js'
import { instantText } from '../../../lib/utc-text.js'
import type { ObjectStore } from '../../../platform/objects/store.js'
import { formatLsn } from '../../../platform/postgres/replication/lsn.js'
import { Archive } from '../archive/archive.js'
import { ArchiveKeys } from '../archive/keys.js'
import type { FullManifest, Manifest, Sidecar, VerifyLevel } from '../archive/manifest.js'
import { type Reading, readFull, readSegments } from './content.js'
import { Findings } from './findings.js'
import { checkBarriers, checkFull, checkIncremental, checkLog, type Span } from './structure.js'

/** What a verification is made from. */
export interface VerifyDeps {
  readonly objects: ObjectStore
  readonly identities: readonly string[]
  readonly clock: Clock
  readonly signal: AbortSignal
  progress(done: number, message: string): void
}

/** What came of it. */
export interface Verdict {
  readonly valid: boolean
  readonly issues: readonly string[]
  readonly level: VerifyLevel
  readonly objects: number
  readonly bytes: number
  readonly not_checked: readonly string[]
  readonly phases: readonly { readonly name: string; readonly duration_ms: number }[]
  readonly verified_at: string
}

/** What belongs to a backup. */
interface Belongings {
  readonly full: FullManifest | null
  readonly segments: readonly Sidecar[]
}

/**
 * Looks whether a backup is whole: by its names and sizes (`quick`), or reading every byte (`content`). A full one
 * is its own objects and the log up to the next full one; an incremental one is the log it seals and the full one
 * that it goes on from. Changes nothing, and needs no database.
 *
 * @throws AppError `not_found` when nothing of it is there, `unavailable` when the store cannot be asked
 */
export async function verify(
  deps: VerifyDeps,
  backupId: string,
  level: 'quick' | 'content',
): Promise<Verdict> {
  const { objects, clock, progress } = deps
  const findings = new Findings()
  const phases = new Phases()
  const archiveId = await Archive.holding(objects, backupId)
  progress(0, 'Comparing names and sizes')
  const archive = await findings.look(Archive.open(objects, archiveId))
  const found =
    archive && (await phases.time('structure', () => structure(archive, backupId, findings)))
  if (!archive) {
    findings.notChecked(`Everything behind ${new ArchiveKeys(archiveId).archive}.`)
  } else if (found && level === 'content') {
    await phases.time('content', () => content({ ...deps, archive, findings }, found))
  }
  const { issues } = findings
  return {
    valid: issues.length === 0,
    issues,
    level,
    objects: findings.objects,
    bytes: findings.bytes,
    not_checked: findings.unchecked,
    phases: phases.done,
    verified_at: instantText(clock.now()),
  }
}

async function structure(
  archive: Archive,
  backupId: string,
  findings: Findings,
): Promise<Belongings | null> {
  const manifest = await manifestOf(archive, backupId, findings)
  if (!manifest) return null
  const full =
    manifest.type === 'full' ? manifest : await manifestOf(archive, manifest.base_backup, findings)
  if (full?.type !== 'full') return { full: null, segments: [] }
  await checkFull(archive, full, findings)
  if (manifest.type === 'full' && !full.snapshot.in_log) return { full, segments: [] }
  const span = await spanOf(archive, manifest, full)
  if (manifest.type === 'incremental') await checkIncremental(archive, manifest, findings)
  const segments = await checkLog(archive, span, full.server, findings)
  const barriers = await checkBarriers(archive, span, findings)
  if (manifest.type === 'incremental') {
    for (const { lsn, kind, reason } of barriers) {
      findings.issue(`The log does not lead across ${formatLsn(lsn)} (${kind}): ${reason}`)
    }
  }
  return { full, segments }
}

async function manifestOf(
  archive: Archive,
  backupId: string,
  findings: Findings,
): Promise<Manifest | null> {
  const key = archive.keys.manifest(backupId)
  // Objects without a manifest are what is left of a backup; so is one that is gone from under its increments.
  if (!(await archive.objects.head(key))) {
    findings.issue(`The object ${key} is missing, so that ${backupId} is no backup.`)
    return null
  }
  return findings.look(archive.manifest(backupId))
}

/** What of the log belongs to a backup: of a full one, all up to the next, which could as well be restored from. */
async function spanOf(archive: Archive, manifest: Manifest, full: FullManifest): Promise<Span> {
  const from = full.snapshot.lsn
  if (manifest.type === 'incremental') return { from, to: manifest.log.to_lsn }
  let to: bigint | null = null
  for await (const { snapshot } of archive.fulls()) {
    if (snapshot.lsn <= from) break
    if (snapshot.in_log) to = snapshot.lsn
  }
  // A barrier is where the log does not lead on, and what is behind it is not of this backup.
  const barriers = await archive.barriers().catch(() => [])
  const barred = barriers.find(({ lsn }) => lsn > from)
  if (!barred || (to !== null && barred.lsn > to)) return { from, to }
  return { from, to: await before(archive, { from, to: barred.lsn }) }
}

/** The last place before another that the log leads to. */
async function before(
  archive: Archive,
  { from, to }: { from: bigint; to: bigint },
): Promise<bigint> {
  let reached = from
  for await (const { start, end } of archive.segments(from)) {
    if (start > reached || end > to) break
    reached = end
  }
  return reached
}

async function content(
  deps: VerifyDeps & Pick<Reading, 'archive' | 'findings'>,
  { full, segments }: Belongings,
): Promise<void> {
  const all = [...(full?.objects ?? []), ...segments]
  const total = Math.max(
    1,
    all.reduce((sum, { stored_bytes }) => sum + stored_bytes, 0),
  )
  let done = 0
  const read = (bytes: number) => {
    done += bytes
    deps.progress(done / total, 'Reading every object')
  }
  const reading = { ...deps, read }
  if (full) await readFull(reading, full)
  await readSegments(reading, segments)
}

class Phases {
  readonly done: { name: string; duration_ms: number }[] = []

  async time<T>(name: string, work: () => Promise<T>): Promise<T> {
    const began = performance.now()
    try {
      return await work()
    } finally {
      this.done.push({ name, duration_ms: Math.round(performance.now() - began) })
    }
  }
}
