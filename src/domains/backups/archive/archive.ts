import { AppError } from '../../../errors.js'
import { ObjectDamaged } from '../../../platform/objects/pipeline.js'
import { ObjectMissing, type ObjectStore } from '../../../platform/objects/store.js'
import { contradictionIn } from './consistency.js'
import { readDocument, writeDocument } from './document.js'
import {
  ARCHIVES,
  ArchiveKeys,
  archiveOf,
  type BackupType,
  isBackupId,
  typeOfBackup,
} from './keys.js'
import {
  ARCHIVE,
  type ArchiveInfo,
  BARRIER,
  type Barrier,
  type FullManifest,
  type IncrementalManifest,
  MANIFEST,
  type Manifest,
  SIDECAR,
  type Sidecar,
  TOMBSTONE,
  type Tombstone,
  type Unsigned,
  VERIFICATION,
  type Verification,
} from './manifest.js'

/** A segment as the list of the store tells: its names are enough to see a gap. */
export interface SegmentEntry {
  readonly start: bigint
  readonly end: bigint
}

/** How many small documents are read at a time. */
const READ_AHEAD = 16

/** Everything that is kept of one database: backups, the log between them, and what is known of both. */
export class Archive {
  readonly objects: ObjectStore
  readonly keys: ArchiveKeys
  readonly info: ArchiveInfo

  private constructor(objects: ObjectStore, info: ArchiveInfo) {
    this.objects = objects
    this.keys = new ArchiveKeys(info.archive_id)
    this.info = info
  }

  get id(): string {
    return this.info.archive_id
  }

  /** The ids of the archives in a store. */
  static async ids(objects: ObjectStore): Promise<string[]> {
    const ids: string[] = []
    let after = ARCHIVES
    // One key of each archive is enough: the next are those behind its last.
    for (;;) {
      const found = await first(objects.list(ARCHIVES, { after }))
      if (!found) return ids
      const id = archiveOf(found.key)
      if (id) ids.push(id)
      after = `${found.key.split('/').slice(0, 2).join('/')}/\u007f`
    }
  }

  /**
   * The id of the archive that a backup is in, whatever database it is of.
   *
   * @throws AppError `not_found`
   */
  static async holding(objects: ObjectStore, backupId: string): Promise<string> {
    for (const id of await Archive.ids(objects)) {
      if (await first(objects.list(new ArchiveKeys(id).backup(backupId)))) return id
    }
    throw noBackup(backupId)
  }

  /** Begins an archive. */
  static async create(objects: ObjectStore, info: Unsigned<ArchiveInfo>): Promise<Archive> {
    const keys = new ArchiveKeys(info.archive_id)
    const fields = { format: 'cdb-archive/1' as const, ...info }
    await writeDocument(objects, keys.archive, { schema: ARCHIVE, fields })
    return Archive.open(objects, info.archive_id)
  }

  /** @throws ObjectMissing when there is none of that id, ObjectDamaged */
  static async open(objects: ObjectStore, archiveId: string): Promise<Archive> {
    const { archive } = new ArchiveKeys(archiveId)
    const info = await readDocument(objects, archive, ARCHIVE)
    if (info.archive_id !== archiveId)
      throw new ObjectDamaged(archive, 'it belongs to another archive')
    return new Archive(objects, info)
  }

  /** The ids of backups, newest first: those with a manifest and without a tombstone. */
  async backupIds(type: BackupType): Promise<string[]> {
    const prefix = this.keys.backups(type)
    const gone = await this.tombstoned()
    const ids: string[] = []
    for await (const { key } of this.objects.list(prefix)) {
      const [id = '', name, ...deeper] = key.slice(prefix.length).split('/')
      if (name === 'manifest.json' && deeper.length === 0 && isBackupId(id) && !gone.has(id))
        ids.push(id)
    }
    return ids.reverse()
  }

  /** Full backups, newest first. One whose manifest is damaged is left out: `verify_backup` tells of it. */
  async *fulls(): AsyncIterable<FullManifest> {
    for (const id of await this.backupIds('full')) {
      const manifest = await this.manifest(id).catch(noneIfDamaged)
      if (manifest?.type === 'full') yield manifest
    }
  }

  /** The same of incremental ones. */
  async *incrementals(): AsyncIterable<IncrementalManifest> {
    for (const id of await this.backupIds('incremental')) {
      const manifest = await this.manifest(id).catch(noneIfDamaged)
      if (manifest?.type === 'incremental') yield manifest
    }
  }

  /** @throws AppError `not_found`, ObjectDamaged */
  async manifest(backupId: string): Promise<Manifest> {
    const key = this.keys.manifest(backupId)
    try {
      const manifest = await readDocument(this.objects, key, MANIFEST)
      this.#expect(key, manifest, manifest.backup_id === backupId)
      if (manifest.type !== typeOfBackup(backupId)) {
        throw new ObjectDamaged(key, 'it is of another type')
      }
      const contradiction = contradictionIn(manifest, this.keys.backup(backupId))
      if (contradiction) throw new ObjectDamaged(key, `it contradicts itself: ${contradiction}`)
      return manifest
    } catch (error) {
      if (error instanceof ObjectMissing) throw noBackup(backupId, error)
      throw error
    }
  }

  /** Segments from the first that reaches beyond `from`, in the order of the log. */
  async *segments(from = 0n): AsyncIterable<SegmentEntry> {
    for await (const { key } of this.objects.list(this.keys.log)) {
      const name = this.keys.parseLog(key)
      if (name?.isSidecar && name.end > from) yield { start: name.start, end: name.end }
    }
  }

  async sidecar(segment: SegmentEntry): Promise<Sidecar> {
    const key = this.keys.sidecar(segment)
    const sidecar = await readDocument(this.objects, key, SIDECAR)
    const { start_lsn, end_lsn } = sidecar
    const named = this.keys.parseLog(sidecar.key)
    const isNamed = named?.start === segment.start && named.end === segment.end
    this.#expect(key, sidecar, start_lsn === segment.start && end_lsn === segment.end && isNamed)
    return sidecar
  }

  /** The same with what their sidecars say. */
  async *sidecars(from = 0n): AsyncIterable<Sidecar> {
    const ahead: Promise<Sidecar>[] = []
    for await (const segment of this.segments(from)) {
      const reading = this.sidecar(segment)
      // It is awaited in its turn; until then its failure is nobody's.
      reading.catch(() => undefined)
      ahead.push(reading)
      if (ahead.length >= READ_AHEAD) yield await (ahead.shift() as Promise<Sidecar>)
    }
    for (const reading of ahead) yield await reading
  }

  /** In the order of the log. */
  async barriers(): Promise<Barrier[]> {
    const barriers: Barrier[] = []
    for await (const { key } of this.objects.list(this.keys.barriers)) {
      if (!this.keys.isBarrier(key)) continue
      const barrier = await readDocument(this.objects, key, BARRIER)
      this.#expect(key, barrier, this.keys.barrier(barrier.lsn, barrier.kind) === key)
      barriers.push(barrier)
    }
    return barriers
  }

  /** How a backup was verified, the last first. */
  async verifications(backupId: string): Promise<Verification[]> {
    const found: Verification[] = []
    for await (const { key } of this.objects.list(this.keys.verified(backupId))) {
      const verification = await readDocument(this.objects, key, VERIFICATION).catch(noneIfDamaged)
      if (verification?.backup_id === backupId) found.push(verification)
    }
    return found.reverse()
  }

  /** Makes a backup of what was stored for it: the last thing that is written. */
  async putManifest(manifest: Unsigned<Manifest>): Promise<void> {
    const key = this.keys.manifest(manifest.backup_id)
    // The union is taken apart by the schema; the compiler does not follow that.
    const fields = { format: 'cdb-backup/1', ...manifest } as Omit<Manifest, 'self_sha256'>
    await writeDocument(this.objects, key, { schema: MANIFEST, fields })
  }

  /** Says that a segment is there, which its object has to be. */
  async putSidecar(sidecar: Unsigned<Sidecar>): Promise<void> {
    const key = this.keys.sidecar({ start: sidecar.start_lsn, end: sidecar.end_lsn })
    const fields = { format: 'cdb-segment/1' as const, ...sidecar }
    await writeDocument(this.objects, key, { schema: SIDECAR, fields })
  }

  async putBarrier(barrier: Unsigned<Barrier>): Promise<void> {
    const key = this.keys.barrier(barrier.lsn, barrier.kind)
    const fields = { format: 'cdb-barrier/1' as const, ...barrier }
    await writeDocument(this.objects, key, { schema: BARRIER, fields })
  }

  async putVerification(verification: Unsigned<Verification>): Promise<void> {
    const { backup_id, verified_at, level } = verification
    const key = this.keys.verification(backup_id, new Date(verified_at), level)
    const fields = { format: 'cdb-verification/1' as const, ...verification }
    await writeDocument(this.objects, key, { schema: VERIFICATION, fields })
  }

  async putTombstone(tombstone: Unsigned<Tombstone>): Promise<void> {
    const key = this.keys.tombstone(tombstone.backup_id)
    const fields = { format: 'cdb-tombstone/1' as const, ...tombstone }
    await writeDocument(this.objects, key, { schema: TOMBSTONE, fields })
  }

  /** A document that is whole, but not the one that belongs there. */
  #expect(key: string, { archive_id }: { readonly archive_id: string }, isThis: boolean): void {
    if (archive_id !== this.id) throw new ObjectDamaged(key, 'it belongs to another archive')
    if (!isThis) throw new ObjectDamaged(key, 'it is that of something else')
  }

  /** The ids of backups that are deleted, as far as the store allows it. */
  async tombstoned(): Promise<Set<string>> {
    const gone = new Set<string>()
    for await (const { key } of this.objects.list(this.keys.tombstones)) {
      gone.add(key.slice(this.keys.tombstones.length).replace(/\.json$/, ''))
    }
    return gone
  }
}

function noneIfDamaged(error: unknown): null {
  if (error instanceof ObjectDamaged || error instanceof ObjectMissing) return null
  throw error
}

async function first<T>(items: AsyncIterable<T>): Promise<T | null> {
  for await (const item of items) return item
  return null
}

const noBackup = (backupId: string, cause?: unknown): AppError =>
  new AppError('not_found', `There is no ${typeOfBackup(backupId)} backup ${backupId}.`, {
    hint: 'Read db/backups/history, or run "catalyst-db backup list".',
    cause,
  })
