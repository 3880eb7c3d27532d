import { openRestores } from '../commands.js'
import { createLog } from '../platform/log.js'
import { type BackupCall, stoppable } from './backup-call.js'
import type { ConfirmedOptions, RestoreOptions } from './backup-options.js'
import { confirmed } from './confirm.js'
import { EXIT } from './exit.js'
import { outline } from './outline.js'
import { print } from './print.js'
import type { Env } from './start.js'

type Restores = Awaited<ReturnType<typeof openRestores>>['restores']
type Work = (restores: Restores, call: BackupCall) => Promise<number>

/** Restores a backup; needs the store and a server to restore on, not the database that was lost. */
export const restore = (env: Env, backupId: string, options: RestoreOptions): Promise<number> =>
  withRestores(env, async (restores, call) => {
    const { targetTime, tables, mode, dryRun = false } = options
    const query = {
      backupId,
      targetTime: targetTime ?? null,
      tables: tables ?? null,
      mode,
      dryRun,
    }
    const question = await restores.ask(query, call.signal)
    const at = targetTime ? ` --target-time ${targetTime}` : ''
    if (question)
      await confirmed(question, options, `backup restore ${backupId} --mode ${mode}${at}`)
    const done = await restores.restore(query, call)
    print(done, options, ({ restore_status: _, ...shown }) => `${outline(shown)}\n`)
    return EXIT.ok
  })

/** Drops a database that was restored. */
export const discard = (env: Env, restoreId: string, options: ConfirmedOptions): Promise<number> =>
  withRestores(env, async (restores) => {
    await confirmed(await restores.askDiscard(restoreId), options, `backup discard ${restoreId}`)
    print(await restores.discard(restoreId), options, ({ database }) => `dropped ${database}\n`)
    return EXIT.ok
  })

const withRestores = (env: Env, work: Work): Promise<number> =>
  stoppable(env, async (config, call) => {
    const { restores, close } = await openRestores(config, createLog('silent'))
    try {
      return await work(restores, call)
    } finally {
      await close()
    }
  })
