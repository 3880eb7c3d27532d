import { randomBytes } from 'node:crypto'

/**
 * The names of everything in a store. A name is given once: what is written under it is never written again
 * with other content.
 *
 *     v1/<archive_id>/archive.json                          what the archive is of
 *     v1/<archive_id>/full/<backup_id>/…                    objects of a full backup; manifest.json last
 *     v1/<archive_id>/log/<start>-<end>-<random>.pgo[.br][.age]   a segment of the log; its <start>-<end>.json last
 *     v1/<archive_id>/incr/<backup_id>/manifest.json        what an incremental backup seals
 *     v1/<archive_id>/barriers/<lsn>-<kind>.json            what the log does not tell
 *     v1/<archive_id>/verified/<backup_id>/<time>-<level>.json
 *     v1/<archive_id>/tombstones/<backup_id>.json           what is being deleted
 */
const VERSION = 'v1'

/** A full backup, or one that seals the log up to some place. */
export type BackupType = 'full' | 'incremental'

const BACKUP_ID = /^\d{8}T\d{6}Z-([FI])-[0-9a-f]{6}$/
const ARCHIVE_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const SEGMENT = /^([0-9A-F]{16})-([0-9A-F]{16})(?:-[0-9a-f]{6}\.pgo(?:\.br)?(?:\.age)?|(\.json))$/
const BARRIER = /^([0-9A-F]{16})-([a-z_]+)\.json$/

/** An id of this form: `20261122T074942Z-F-7f3a91`. */
export const isBackupId = (text: string): boolean => BACKUP_ID.test(text)

/** Whether it is an archive's id, which is a UUID in lower case. */
export const isArchiveId = (text: string): boolean => ARCHIVE_ID.test(text)

/** A new id; it sorts by its time, which is the server's, to the second. */
export function newBackupId(type: BackupType, at: Date): string {
  const time = at.toISOString().replace(/[-:]|\.\d+/g, '')
  return `${time}-${type === 'full' ? 'F' : 'I'}-${randomBytes(3).toString('hex')}`
}

/** What an id says of its backup. */
export const typeOfBackup = (backupId: string): BackupType =>
  BACKUP_ID.exec(backupId)?.[1] === 'F' ? 'full' : 'incremental'

/** How the name of an object ends: what was done to it. */
export const suffix = ({
  codec,
  encrypted,
}: {
  readonly codec: 'br' | 'none'
  readonly encrypted: boolean
}): string => `${codec === 'br' ? '.br' : ''}${encrypted ? '.age' : ''}`

/** A segment as its name tells. */
export interface SegmentName {
  readonly start: bigint
  readonly end: bigint
}

/** Where archives are. */
export const ARCHIVES = `${VERSION}/`

/** The archive that a key belongs to; null for what is none of ours. */
export function archiveOf(key: string): string | null {
  const [version, archiveId = ''] = key.split('/')
  return version === VERSION && isArchiveId(archiveId) ? archiveId : null
}

/** The names within one archive. */
export class ArchiveKeys {
  readonly root: string

  constructor(archiveId: string) {
    if (!isArchiveId(archiveId)) throw new TypeError('not the id of an archive')
    this.root = `${VERSION}/${archiveId}/`
  }

  get archive(): string {
    return `${this.root}archive.json`
  }

  /** Where the objects of a backup are. */
  backup(backupId: string): string {
    if (!isBackupId(backupId)) throw new TypeError('not the id of a backup')
    return `${this.backups(typeOfBackup(backupId))}${backupId}/`
  }

  backups(type: BackupType): string {
    return `${this.root}${type === 'full' ? 'full' : 'incr'}/`
  }

  manifest(backupId: string): string {
    return `${this.backup(backupId)}manifest.json`
  }

  /** The rows of one table, or of a part of them. */
  data(backupId: string, tableOid: number, part: number, ending: string): string {
    return `${this.backup(backupId)}data/${tableOid}-${String(part).padStart(3, '0')}.copy${ending}`
  }

  schema(backupId: string, section: 'pre' | 'post', ending: string): string {
    return `${this.backup(backupId)}schema-${section}.sql${ending}`
  }

  catalog(backupId: string, ending: string): string {
    return `${this.backup(backupId)}catalog.json${ending}`
  }

  get log(): string {
    return `${this.root}log/`
  }

  /** A new name at each call: who died before the sidecar may begin again, and what is encrypted is never the same twice. */
  segment({ start, end }: SegmentName, ending: string): string {
    const random = randomBytes(3).toString('hex')
    return `${this.log}${sortable(start)}-${sortable(end)}-${random}.pgo${ending}`
  }

  sidecar({ start, end }: SegmentName): string {
    return `${this.log}${sortable(start)}-${sortable(end)}.json`
  }

  /** What a name in the log says; null for what is none of ours. */
  parseLog(key: string): (SegmentName & { readonly isSidecar: boolean }) | null {
    const match = key.startsWith(this.log) ? SEGMENT.exec(key.slice(this.log.length)) : null
    if (!match) return null
    return {
      start: BigInt(`0x${match[1]}`),
      end: BigInt(`0x${match[2]}`),
      isSidecar: match[3] !== undefined,
    }
  }

  get barriers(): string {
    return `${this.root}barriers/`
  }

  barrier(lsn: bigint, kind: string): string {
    return `${this.barriers}${sortable(lsn)}-${kind}.json`
  }

  isBarrier(key: string): boolean {
    return key.startsWith(this.barriers) && BARRIER.test(key.slice(this.barriers.length))
  }

  /** Where is kept how a backup was verified. */
  verified(backupId: string): string {
    return `${this.root}verified/${backupId}/`
  }

  verification(backupId: string, at: Date, level: string): string {
    const time = at.toISOString().replace(/[-:.]/g, '')
    return `${this.verified(backupId)}${time}-${level}.json`
  }

  get tombstones(): string {
    return `${this.root}tombstones/`
  }

  tombstone(backupId: string): string {
    return `${this.tombstones}${backupId}.json`
  }
}

/** Sixteen hexadecimal digits, so that names sort as the places do. */
const sortable = (lsn: bigint): string => lsn.toString(16).toUpperCase().padStart(16, '0')
