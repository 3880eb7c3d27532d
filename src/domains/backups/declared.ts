import { z } from 'zod'
import { declare, event } from '../../kernel/declare.js'
import { Secret } from '../../lib/secret.js'

const type = z.enum(['full', 'incremental'])

/** How often backups are taken, how long they are kept, and what the log may cost. */
const BACKUPS = z.strictObject({
  enabled: z
    .union([z.literal('auto'), z.boolean()])
    .default('auto')
    .describe(
      'Log and schedule: "auto" on the embedded database, elsewhere from the first create_backup until "backup stop".',
    ),
  full_every_hours: z
    .number()
    .positive()
    .max(8_760)
    .default(24)
    .describe('Rest between two full backups.'),
  incremental_minutes: z
    .number()
    .positive()
    .max(10_080)
    .default(60)
    .describe('Rest between two incremental ones.'),
  segment_seconds: z
    .number()
    .min(1)
    .max(3_600)
    .default(15)
    .describe('The log is put into the object store so often while something happens.'),
  keep_fulls: z.int().min(1).max(1_000).default(7).describe('Full backups that are always kept.'),
  keep_days: z
    .number()
    .positive()
    .max(36_500)
    .default(14)
    .describe('Every instant of so many days stays restorable.'),
  drill_days: z
    .number()
    .min(0)
    .max(3_650)
    .default(7)
    .describe('The newest full backup is restored beside so often, to prove it; 0 is never.'),
  keep_restores_hours: z
    .number()
    .positive()
    .max(8_760)
    .default(24)
    .describe('A database that was restored beside is dropped after it.'),
  wal_budget_mb: z
    .int()
    .min(64)
    .max(1_048_576)
    .default(2_048)
    .describe('WAL that the log may hold back on the server while the object store is away.'),
  when_budget_is_full: z
    .enum(['drop_log', 'keep_log'])
    .default('drop_log')
    .describe(
      'drop_log: the database goes on, and the log has a gap up to the next full backup; keep_log: the disk may fill.',
    ),
  workers: z.int().min(1).max(16).default(2).describe('Tables that are copied at a time.'),
})

/** What backups declare. */
export const backups = declare({
  settings: {
    CATALYST_OBJECT_STORE: z
      .string()
      .regex(/^(file:\/\/\/|s3:\/\/[^/])/, 'must be file:///directory or s3://bucket/prefix')
      .optional()
      .describe(
        'Where backups are kept: file:///directory or s3://bucket/prefix. Default: the folder backups of CATALYST_DATA_DIR.',
      ),
    AWS_ENDPOINT_URL_S3: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe(
        'The S3 API of s3://, where it is not Amazon: https://fra1.digitaloceanspaces.com.',
      ),
    AWS_REGION: z.string().min(1).optional().describe('Region of s3://.'),
    AWS_ACCESS_KEY_ID: z.string().min(1).optional().describe('Key of s3://.'),
    AWS_SECRET_ACCESS_KEY: z
      .string()
      .min(1)
      .transform((value) => new Secret(value))
      .optional()
      .describe('Secret of that key. Without both they are looked for where the AWS SDK does.'),
    SPACES_KEY: z
      .string()
      .min(1)
      .optional()
      .describe('The same as AWS_ACCESS_KEY_ID, by the name that DigitalOcean gives it.'),
    SPACES_SECRET: z
      .string()
      .min(1)
      .transform((value) => new Secret(value))
      .optional()
      .describe('The same as AWS_SECRET_ACCESS_KEY.'),
    CATALYST_BACKUP_RECIPIENTS: z
      .string()
      .optional()
      .describe('age public keys, separated by spaces or commas, for encrypted backups and log.'),
    CATALYST_BACKUP_IDENTITY_FILE: z
      .string()
      .min(1)
      .optional()
      .describe('File of the age identity; only needed to restore or verify what is encrypted.'),
  },
  policy: {
    backups: BACKUPS,
  },
  events: {
    'backup.completed': event(
      'info',
      'A backup is whole in the object store.',
      z.object({
        backup_id: z.string(),
        type,
        size_bytes: z.int(),
        duration_ms: z.int(),
        covered_until: z.string().nullable(),
      }),
    ),
    'backup.failed': event(
      'critical',
      'A backup could not be taken, or the log could not be kept.',
      z.object({
        backup_id: z.string().nullable(),
        type: type.nullable().describe('Null when it is the log.'),
        code: z.string(),
        message: z.string(),
      }),
    ),
    'backup.verified': event(
      'info',
      'A backup was verified.',
      z.object({
        backup_id: z.string(),
        level: z.enum(['quick', 'content', 'restore']),
        valid: z.boolean(),
        restore_ms: z.int().nullable(),
      }),
    ),
  },
})
