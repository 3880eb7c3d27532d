import { z } from 'zod'
import { resourceFor } from '../../mcp/define.js'
import type { BackupService } from './service.js'

const resource = resourceFor<BackupService>()

export const restores = resource({
  path: 'db/backups/restores',
  title: 'Restored databases',
  description:
    'The databases that restore_backup has made beside this one, and those that a restore has replaced: of which backup and moment, and when they end by themselves.',
  input: z.object({}),
  output: z.object({
    restores: z.array(
      z.object({
        restore_id: z.string(),
        database: z.string(),
        backup_id: z.string(),
        recovered_to: z.object({ time: z.string(), lsn: z.string() }).nullable(),
        created_at: z.string(),
        expires_at: z.string(),
        size_bytes: z.int().nullable(),
      }),
    ),
  }),
  read: async (_, { service }) => ({ restores: await service.restores.list() }),
})
