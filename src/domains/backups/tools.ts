import { z } from 'zod'
import { jobToolFor } from '../../mcp/define.js'
import { backupType } from './schemas.js'
import type { BackupService } from './service.js'

const job = jobToolFor<BackupService>()

export const createBackup = job({
  name: 'create_backup',
  title: 'Take a backup',
  description:
    'Takes a full backup, or seals the log up to now (incremental: seconds, and only what was written since). Takes a full one instead, and says why in reason, where an incremental one would lead nowhere. Both run on a schedule by themselves. Then read catalyst://db/backups/latest; verify_backup proves that it restores.',
  effect: 'write',
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
