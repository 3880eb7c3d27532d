import { openApp } from '../app.js'
import { createLog } from '../platform/log.js'
import { stoppable } from './backup-call.js'
import type { CreateOptions } from './backup-options.js'
import { EXIT } from './exit.js'
import { print } from './print.js'
import type { Env } from './start.js'

/** Takes a backup as a server would; one that runs keeps the log meanwhile. */
export const create = (env: Env, options: CreateOptions): Promise<number> =>
  stoppable(env, async (config, call) => {
    const app = await openApp(config, createLog('silent'))
    try {
      const { type, compress, encrypt = false } = options
      const taken = await app.backups.create({ type, compress, encrypt }, call)
      print(taken, options, (one) => {
        const reason = one.reason ? ` (${one.reason})` : ''
        const issues = one.issues.map((issue) => `  - ${issue}\n`).join('')
        return `${one.type} backup ${one.backup_id}${reason}: ${one.size_bytes} bytes in ${one.location}\n${issues}`
      })
      return EXIT.ok
    } finally {
      await app.close()
    }
  })
