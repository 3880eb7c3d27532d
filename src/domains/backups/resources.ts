import { z } from 'zod'
import { NEXT_CURSOR, pageParameters } from '../../lib/page.js'
import { resourceFor } from '../../mcp/define.js'
import { backupType } from './schemas.js'
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
