import { part } from '../../kernel/part.js'
import { monitoring } from '../monitoring/index.js'
import { backupsOf } from './of-settings.js'
import * as resources from './resources.js'
import * as restoreResources from './restore.resources.js'
import * as restoreTools from './restore.tools.js'
import type { BackupService } from './service.js'
import * as tools from './tools.js'
import { BackupWatch } from './watch.js'

/** How soon another server takes over the log when the one that kept it is gone. */
const LOG_MS = 5_000
const SCHEDULE_MS = 15_000
/** What fails is tried again by the schedule's own rests. */
const RETRY = { firstMs: SCHEDULE_MS, maxMs: SCHEDULE_MS }
/** How old what monitoring tells of backups may be. */
const WATCH_MS = 30_000
/** How often it is looked whether a restored database has expired. */
const EXPIRE_MS = 60_000

/** Backups that restore to any moment. */
export const backups = part({
  name: 'backups',
  tasks: 'back up, verify, what could be lost now, a row as it was in the past',
  tools,
  resources,
  start: (kernel) => {
    const { config, systems, loops, eventLog } = kernel
    const service: BackupService = backupsOf(config, {
      ...kernel,
      direct: systems.direct,
      embedded: systems.embedded?.postgres?.connectionString ?? null,
      changed: () => watch.look(),
    })
    loops.every('restored databases that expire', { everyMs: EXPIRE_MS }, () =>
      service.restores.expire(),
    )
    loops.every('the log of backups', { everyMs: LOG_MS }, (signal, works) =>
      service.keepLog(signal, works),
    )
    loops.every('the schedule of backups', { everyMs: SCHEDULE_MS, retry: RETRY }, (signal) =>
      service.takeDue(signal),
    )
    const watch = new BackupWatch(service, config.policy, kernel.clock)
    const looking = loops.every('looking how backups are', { everyMs: WATCH_MS }, () =>
      watch.look(),
    )
    // Whichever server and whoever took or verified it.
    eventLog.subscribe((published) => {
      if (published.some(({ type }) => type.startsWith('backup.'))) looking.wake()
    })
    for (const check of watch.checks) kernel.check(check)
    kernel.onOpen(() => kernel.the(monitoring).backupsAre(watch))
    kernel.onClose(() => service.close())
    return service
  },
})

/** What was restored of them. */
export const restores = part({
  name: 'restores',
  tasks: 'restore all or some tables to any moment, beside or in place',
  tools: restoreTools,
  resources: restoreResources,
  start: ({ the }) => the(backups),
})
