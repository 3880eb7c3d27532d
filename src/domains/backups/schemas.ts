import { z } from 'zod'

/** The id of a backup: the server's time, F or I, 24 random bits. */
export const backupId = () =>
  z
    .string()
    .regex(
      /^\d{8}T\d{6}Z-[FI]-[0-9a-f]{6}$/,
      'must be the id of a backup, such as 20261122T074942Z-F-7f3a91: catalyst://db/backups/history lists them',
    )
    .describe('From db/backups/history.')

/** The id of a restore, as restore_backup answered it. */
export const restoreId = () =>
  z
    .string()
    .regex(
      /^rst_[0-9a-f]{12}$/,
      'must be the id of a restore: catalyst://db/backups/restores lists them',
    )
    .describe('From db/backups/restores.')

export const backupType = () => z.enum(['full', 'incremental'])
