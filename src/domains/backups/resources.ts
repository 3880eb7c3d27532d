import { z } from 'zod'
import { NEXT_CURSOR, pageParameters } from '../../lib/page.js'
import { instant } from '../../lib/schemas.js'
import { resourceFor } from '../../mcp/define.js'
import { backupType, rowKey, tableName } from './schemas.js'
import type { BackupService } from './service.js'

const resource = resourceFor<BackupService>()

const at = z.string().nullable()

const BACKUP = z.object({
  backup_id: z.string(),
  type: backupType(),
  timestamp: z.string(),
  size: z.string().nullable(),
  size_bytes: z.int().nullable(),
  location: z.string(),
  base_backup: z.string().nullable().describe('The full one that it goes on from.'),
  encrypted: z.boolean(),
})

const LEVEL = z.enum(['quick', 'content', 'restore'])

export const latestBackups = resource({
  path: 'db/backups/latest',
  title: 'Newest backups, and what could be lost now',
  description:
    'The newest full and incremental backup; rpo_seconds: what a loss of the database at this moment would cost, measured. Every instant from oldest_restorable to covered_until can be restored, but not across barriers from a full backup before them. Also when a backup was last verified and restored to prove it, and how log and store are.',
  input: z.object({}),
  output: z.object({
    latest_full: BACKUP.nullable(),
    latest_incremental: BACKUP.nullable(),
    covered_until: at,
    oldest_restorable: at,
    rpo_seconds: z.number().nullable(),
    last_verified: z
      .object({ backup_id: z.string(), level: LEVEL, at: z.string(), valid: z.boolean() })
      .nullable(),
    last_drill: z
      .object({ at: z.string(), restore_ms: z.int().nullable(), valid: z.boolean() })
      .nullable(),
    log: z.object({
      state: z.enum(['archiving', 'paused', 'unavailable']),
      lag_bytes: z.int().nullable().describe('WAL that is not in the store yet.'),
      retained_bytes: z.int().nullable().describe('WAL that the server keeps for it.'),
      budget_bytes: z.int().nullable(),
      last_segment_at: at,
      reason: z.string().nullable(),
    }),
    store: z.object({ status: z.enum(['ok', 'failing']), reason: z.string().nullable() }),
    barriers: z.array(z.object({ at: z.string(), kind: z.string(), reason: z.string() })),
  }),
  refreshedBy: ['backup.completed', 'backup.failed', 'backup.verified'],
  read: (_, { service }) => service.latest(),
})

export const backupHistory = resource({
  path: 'db/backups/history',
  title: 'Backups',
  description: 'Backups, newest first, also those that failed or run, and how each was verified.',
  input: z.object({
    type: backupType().optional(),
    days: z.coerce.number().positive().max(36_500).optional().describe('Only of so many days.'),
    ...pageParameters(['instant', 'text']),
  }),
  output: z.object({
    backups: z.array(
      BACKUP.extend({
        status: z.enum(['running', 'completed', 'failed', 'retained']),
        verified_at: at,
        verified_level: LEVEL.nullable(),
        duration_ms: z.int().nullable(),
        error: z.object({ code: z.string(), message: z.string() }).nullable(),
      }),
    ),
    next_cursor: NEXT_CURSOR,
  }),
  refreshedBy: ['backup.completed', 'backup.failed', 'backup.verified'],
  read: (query, { service }) => service.history(query),
})

const VALUES = z.record(z.string(), z.string().nullable())

export const pastRow = resource({
  path: 'db/backups/row',
  title: 'A row as it once was',
  description:
    'A row of any table as it stood at an instant, from the log alone: no database is made and nothing is restored. Values are texts as PostgreSQL writes them, exact; row is null where there was none. changed_at: when it became so, null where it has been so since the backup before.',
  input: z.object({
    table: tableName(),
    key: rowKey(),
    at: instant().describe('Between oldest_restorable and covered_until of db/backups/latest.'),
  }),
  output: z.object({
    row: VALUES.nullable(),
    changed_at: at,
    from_backup: z.string().describe('The full backup that the log was read from.'),
  }),
  read: (query, { service, signal }) => service.rowAt(query, signal),
})

export const pastChanges = resource({
  path: 'db/backups/changes',
  title: 'What was done to a table',
  description:
    'Inserts, updates, deletes and truncates of a table, or of one row, between two instants, in the order in which they were committed, from the log alone. old has the columns that the log knows of the row before: note says where the replica identity does not tell all.',
  input: z.object({
    table: tableName(),
    key: rowKey().optional(),
    from: instant(),
    to: instant(),
    ...pageParameters(['bigint', 'int']),
  }),
  output: z.object({
    changes: z.array(
      z.object({
        lsn: z.string(),
        committed_at: z.string(),
        operation: z.enum(['insert', 'update', 'delete', 'truncate']),
        key: VALUES.nullable(),
        old: VALUES.nullable(),
        new: VALUES.nullable().describe('Without large values that were not touched.'),
        transaction_id: z.string(),
      }),
    ),
    note: z.string().nullable(),
    next_cursor: NEXT_CURSOR,
  }),
  read: (query, { service, signal }) => service.changes(query, signal),
})
