import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { part } from '../../kernel/part.js'
import * as resources from './resources.js'
import { BackupService } from './service.js'
import * as tools from './tools.js'

/** Backups that restore to any moment. */
export const backups = part({
  name: 'backups',
  tools,
  resources,
  start: (kernel) => {
    const { config, systems } = kernel
    const local = resolve(config.CATALYST_DATA_DIR)
    return new BackupService({
      ...kernel,
      direct: systems.direct,
      engine: config.DATABASE_URL ? 'external' : 'embedded',
      policy: config.policy.backups,
      location: config.CATALYST_OBJECT_STORE ?? pathToFileURL(join(local, 'backups')).href,
      recipients: (config.CATALYST_BACKUP_RECIPIENTS ?? '').split(/[\s,]+/).filter(Boolean),
      identityFile: config.CATALYST_BACKUP_IDENTITY_FILE ?? null,
      spool: join(local, 'spool'),
    })
  },
})
