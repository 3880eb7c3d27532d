import { z } from 'zod'
import { instant, nonEmptyText } from '../../lib/schemas.js'
import { jobToolFor, toolFor } from '../../mcp/define.js'
import { backupId, restoreId } from './schemas.js'
import type { BackupService } from './service.js'

const tool = toolFor<BackupService>()
const job = jobToolFor<BackupService>()

/** A table has at most 63 bytes in each part of its name, and each may be a quotation mark. */
const tableName = () => nonEmptyText(260)

const restoreInput = z.object({
  backup_id: backupId(),
  target_time: instant()
    .optional()
    .describe('To the microsecond; the moment of the backup unless given.'),
  dry_run: z.boolean().default(false).describe('Only tell how, and what would be left out.'),
  mode: z
    .enum(['side', 'swap'])
    .default('side')
    .describe('side: a database of its own beside; swap: in the place of the one that is there.'),
  tables: z
    .array(tableName().describe('schema.name, or the name alone.'))
    .min(1)
    .max(1_000)
    .optional()
    .describe('Only these, beside; all unless given.'),
})

const queryOf = (input: z.output<typeof restoreInput>) => ({
  backupId: input.backup_id,
  targetTime: input.target_time ?? null,
  dryRun: input.dry_run,
  mode: input.mode,
  tables: input.tables ?? null,
})

export const restoreBackup = job({
  name: 'restore_backup',
  title: 'Restore to any moment',
  description:
    'Restores all or some tables as they were at target_time, from a full backup and the log behind it. It goes into a database of its own beside, which query_database reads and which ends by itself; mode swap puts it in the place of the database and must be confirmed. Try dry_run first: it tells the plan and what would be left out.',
  effect: 'destroy',
  grant: 'db:restore',
  idempotent: false,
  openWorld: false,
  onRestart: 'fail',
  lane: 'interactive',
  input: restoreInput,
  output: z.object({
    restore_status: z.enum(['success', 'failed']),
    tables_restored: z.int(),
    duration_ms: z.int(),
    restore_id: z.string().nullable().describe('Null in a dry run.'),
    database: z.string().nullable(),
    recovered_to: z
      .object({ time: z.string(), lsn: z.string() })
      .describe('The last commit that is in it.'),
    next_commit_at: z.string().nullable().describe('The first that is left out; null at the end.'),
    rows: z.int().describe('In a dry run those of the full backup.'),
    plan: z.object({
      full: z.string(),
      segments: z.int().describe('Of the log.'),
      barriers: z
        .array(z.object({ at: z.string(), kind: z.string(), reason: z.string() }))
        .describe('Over which the log does not lead, since the full backup.'),
      bytes: z.int(),
      estimated_ms: z.int(),
    }),
    warnings: z.array(z.string()).describe('What is not as it was.'),
  }),
  confirm: (input, { service, signal }) => service.restores.ask(queryOf(input), signal),
  run: (input, { service, ...call }) => service.restores.restore(queryOf(input), call),
})

export const discardRestore = tool({
  name: 'discard_restore',
  title: 'Drop a restored database',
  description:
    'Drops a database that restore_backup has made, before it ends by itself. Must be confirmed, and is refused while sessions are in it. Nothing else can be dropped with it. catalyst://db/backups/restores lists them.',
  effect: 'destroy',
  grant: 'db:restore',
  idempotent: false,
  openWorld: false,
  input: z.object({ restore_id: restoreId() }),
  output: z.object({ discarded: z.boolean(), database: z.string() }),
  confirm: ({ restore_id }, { service }) => service.restores.askDiscard(restore_id),
  run: ({ restore_id }, { service }) => service.restores.discard(restore_id),
})
