import { z } from 'zod'
import { jobToolFor } from '../../mcp/define.js'
import { backupId, backupType } from './schemas.js'
import type { BackupService } from './service.js'

const job = jobToolFor<BackupService>()

export const createBackup = job({
  name: 'create_backup',
  title: 'Take a backup',
  description:
    'Takes a full backup, or seals the log up to now (incremental: seconds, and only what was written since). Takes a full one instead, and says why in reason, where an incremental one would lead nowhere. Both run on a schedule by themselves. Then read catalyst://db/backups/latest; verify_backup proves that it restores.',
  effect: 'write',
  grant: 'db:backup',
  idempotent: false,
  openWorld: false,
  onRestart: 'fail',
  input: z.object({
    type: backupType().describe('full or incremental.'),
    compress: z.boolean().default(true).describe('Of a full one; the log always is.'),
    encrypt: z
      .boolean()
      .default(false)
      .describe(
        'Of a full one, for the recipients of CATALYST_BACKUP_RECIPIENTS; the log is whenever there are any.',
      ),
  }),
  output: z.object({
    backup_id: z.string(),
    location: z.string(),
    size_bytes: z.int(),
    duration_ms: z.int(),
    type: backupType().describe('What was taken.'),
    reason: z.string().nullable().describe('Why a full one was taken instead.'),
    covered_until: z.string().nullable().describe('Every instant until then can be restored.'),
    encrypted: z.boolean(),
    tables: z.int(),
    rows: z.int().nullable().describe('Of a full one.'),
    issues: z.array(z.string()).describe('What is not in it.'),
  }),
  run: (query, { service, ...call }) => service.create(query, call),
})

export const verifyBackup = job({
  name: 'verify_backup',
  title: 'Verify a backup',
  description:
    'Proves that a backup is whole. quick: names, sizes, a log without a gap. content (default): reads every byte and counts every row. restore: also restores it into a database of its own, checks that, and drops it. Changes no data. issues name each damaged object. Then read catalyst://db/backups/latest.',
  effect: 'write',
  grant: 'db:backup',
  idempotent: true,
  openWorld: false,
  onRestart: 'resume',
  input: z.object({
    backup_id: backupId(),
    level: z.enum(['quick', 'content', 'restore']).default('content').describe('How thoroughly.'),
  }),
  output: z.object({
    valid: z.boolean(),
    issues: z.array(z.string()),
    level: z.enum(['quick', 'content', 'restore']).describe('What was done.'),
    objects: z.int(),
    bytes: z.int(),
    not_checked: z.array(z.string()).describe('What could not be, and why.'),
    phases: z.array(z.object({ name: z.string(), duration_ms: z.int() })),
    verified_at: z.string(),
  }),
  run: async (query, { service, ...call }) => {
    const { issues, not_checked, phases, ...verdict } = await service.verify(query, call)
    return { ...verdict, issues: [...issues], not_checked: [...not_checked], phases: [...phases] }
  },
})
