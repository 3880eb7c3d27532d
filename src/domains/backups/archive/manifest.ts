import { z } from 'zod'
import { formatLsn, parseLsn } from '../../../platform/postgres/replication/lsn.js'
import { isArchiveId, isBackupId } from './keys.js'

/**
 * What is written beside the data, in clear text that names no table. Fields that are not known are ignored;
 * another number behind the name of a format is refused.
 */
const bytes = () => z.int().min(0)
const count = () => z.int().min(0)
const sha256 = () => z.string().regex(/^[0-9a-f]{64}$/)

/** An LSN: a bigint in the code, `0/16B3748` in the text. */
const lsn = () =>
  z.codec(z.string().regex(/^[0-9A-F]{1,8}\/[0-9A-F]{1,8}$/), z.bigint(), {
    decode: parseLsn,
    encode: formatLsn,
  })

/** An instant in UTC with up to six decimals, as PostgreSQL keeps it. */
const time = () => z.string().regex(/^\d{4,6}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$/)

const backupId = () => z.string().refine(isBackupId)
const archiveId = () => z.string().refine(isArchiveId)
const codec = () => z.enum(['br', 'none'])

/** How it is encrypted, and for whom: fingerprints, so that a recipient can be told without being named. */
const encryption = () =>
  z.object({ scheme: z.literal('age-v1'), recipients_fp: z.array(z.string()) }).nullable()

const sealed = {
  plain_bytes: bytes(),
  plain_sha256: sha256(),
  stored_bytes: bytes(),
  stored_sha256: sha256(),
}

const server = () =>
  z.object({
    version_num: z.int(),
    system_identifier: z.string(),
    timeline: z.int(),
    database: z.string(),
    db_oid: z.int(),
    encoding: z.string(),
    collate: z.string(),
    ctype: z.string(),
    /** `c`, `i` or `b`; before 15 always `c`. */
    locale_provider: z.string(),
    locale: z.string().nullable(),
  })

/** What an archive is of: one database of one cluster. */
export const ARCHIVE = z.object({
  format: z.literal('cdb-archive/1'),
  archive_id: archiveId(),
  created_at: time(),
  system_identifier: z.string(),
  database: z.string(),
  db_oid: z.int(),
  self_sha256: sha256(),
})

/** One object of a full backup. */
const OBJECT = z.object({
  key: z.string(),
  role: z.enum(['schema-pre', 'schema-post', 'catalog', 'data']),
  /** Of data: whose rows, and which part of them from 0. */
  table_oid: z.int().optional(),
  part: z.int().optional(),
  copy_format: z.enum(['binary', 'text']).optional(),
  rows: count().optional(),
  ...sealed,
})

const issue = () => z.string()

const envelope = {
  format: z.literal('cdb-backup/1'),
  backup_id: backupId(),
  archive_id: archiveId(),
  tool: z.object({ name: z.string(), version: z.string() }),
  started_at: time(),
  finished_at: time(),
  codec: codec(),
  encryption: encryption(),
  issues: z.array(issue()),
  consistent: z.literal(true),
  self_sha256: sha256(),
}

/** One snapshot of the whole database. */
const FULL = z.object({
  ...envelope,
  type: z.literal('full'),
  server: server(),
  /** Where in the log the snapshot is. `in_log` false: no log goes on from it, so it restores itself alone. */
  snapshot: z.object({ lsn: lsn(), time: time(), in_log: z.boolean() }),
  objects: z.array(OBJECT),
  totals: z.object({
    tables: count(),
    rows: count(),
    plain_bytes: bytes(),
    stored_bytes: bytes(),
  }),
  schema_fingerprint: z.string(),
})

/** Seals the log from one place to another; the data is that of the segments. */
const INCREMENTAL = z.object({
  ...envelope,
  type: z.literal('incremental'),
  /** The full that it goes on from. */
  base_backup: backupId(),
  log: z.object({
    from_lsn: lsn(),
    to_lsn: lsn(),
    covered_until: time(),
    segments: z.array(z.string()),
    commits: count(),
    max_time_backstep_us: count(),
  }),
  totals: z.object({ stored_bytes: bytes(), plain_bytes: bytes() }),
})

/** A backup: it exists if and only if this does. */
export const MANIFEST = z.discriminatedUnion('type', [FULL, INCREMENTAL])

/** Says what a segment of the log holds; the segment exists if and only if this does. */
export const SIDECAR = z.object({
  format: z.literal('cdb-segment/1'),
  archive_id: archiveId(),
  key: z.string(),
  system_identifier: z.string(),
  timeline: z.int(),
  start_lsn: lsn(),
  end_lsn: lsn(),
  commits: count(),
  /** Null where nothing was committed. */
  first_commit: z.object({ lsn: lsn(), time: time() }).nullable(),
  last_commit: z.object({ lsn: lsn(), time: time() }).nullable(),
  /** Everything committed until then is in this segment or an earlier one. */
  covered_until: time(),
  /** How far the times of commits went back against their order. */
  max_time_backstep_us: count(),
  /** The tables it has changes of. */
  relations: z.array(z.int()),
  has_ddl: z.boolean(),
  /** Of the schema at the last mark, and a sum of the names of tables whose rows are not in the log. */
  schema_fingerprint: z.string().nullable().default(null),
  not_logged_sha256: z.string().nullable().default(null),
  codec: codec(),
  encryption: encryption(),
  ...sealed,
  self_sha256: sha256(),
})

/** Why the log does not lead across a place. */
const BARRIER_KINDS = [
  'gap',
  'out_of_band_ddl',
  'opaque_ddl',
  'volatile_rewrite',
  'unpublished_table',
  'restore_swap',
  'major_upgrade',
  'log_dropped',
] as const

/** What the log does not tell, so that no restore goes across it. */
export const BARRIER = z.object({
  format: z.literal('cdb-barrier/1'),
  archive_id: archiveId(),
  lsn: lsn(),
  at: time(),
  kind: z.enum(BARRIER_KINDS),
  reason: z.string(),
  self_sha256: sha256(),
})

/** How a backup was verified, and what came of it. */
export const VERIFICATION = z.object({
  format: z.literal('cdb-verification/1'),
  archive_id: archiveId(),
  backup_id: backupId(),
  level: z.enum(['quick', 'content', 'restore']),
  valid: z.boolean(),
  issues: z.array(issue()),
  verified_at: time(),
  /** Of a restore: how long it took. */
  restore_ms: count().nullable(),
  self_sha256: sha256(),
})

/** A backup is being deleted: it is no longer one, whatever of it is still there. */
export const TOMBSTONE = z.object({
  format: z.literal('cdb-tombstone/1'),
  archive_id: archiveId(),
  backup_id: backupId(),
  at: time(),
  reason: z.string(),
  keys: z.array(z.string()),
  self_sha256: sha256(),
})

export type ArchiveInfo = z.output<typeof ARCHIVE>
export type FullManifest = z.output<typeof FULL>
export type IncrementalManifest = z.output<typeof INCREMENTAL>
export type Manifest = z.output<typeof MANIFEST>
export type BackupObject = z.output<typeof OBJECT>
export type Sidecar = z.output<typeof SIDECAR>
export type Barrier = z.output<typeof BARRIER>
export type BarrierKind = Barrier['kind']
export type Verification = z.output<typeof VERIFICATION>
export type VerifyLevel = Verification['level']
export type Tombstone = z.output<typeof TOMBSTONE>
/** As it is written: without the sum, which the writer adds. */
export type Unsigned<D> = D extends unknown ? Omit<D, 'self_sha256' | 'format'> : never
