import { join, resolve } from 'node:path'
import type { Config } from '../../config.js'
import { prepareDatabase } from '../../platform/embedded/catalyst-database.js'
import { openStore } from '../../platform/objects/open.js'
import { type BackupDeps, BackupService } from './service.js'
import { storeSettings } from './settings.js'

/** What is not in the settings; `embedded` is the superuser's way in where the server is ours. */
type Rest = Pick<
  BackupDeps,
  'database' | 'direct' | 'clock' | 'serverId' | 'log' | 'changed' | 'step'
> & {
  readonly embedded: string | null
}

/** Backups of the database and into the store that the settings name; nothing is opened yet. */
export function backupsOf(config: Config, { embedded, ...rest }: Rest): BackupService {
  const store = storeSettings(config)
  return new BackupService({
    ...rest,
    engine: config.DATABASE_URL ? 'external' : 'embedded',
    policy: config.policy.backups,
    location: store.location,
    openStore: () => openStore(store),
    recipients: (config.CATALYST_BACKUP_RECIPIENTS ?? '').split(/[\s,]+/).filter(Boolean),
    identityFile: config.CATALYST_BACKUP_IDENTITY_FILE ?? null,
    spool: join(resolve(config.CATALYST_DATA_DIR), 'spool'),
    prepareDatabase: async (database) => {
      if (embedded) await prepareDatabase(embedded, database)
    },
  })
}
