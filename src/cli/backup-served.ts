import { type App, openApp } from '../app.js'
import { AppError } from '../errors.js'
import { createLog } from '../platform/log.js'
import { type BackupCall, stoppable } from './backup-call.js'
import type { ConfirmedOptions, CreateOptions, Printed } from './backup-options.js'
import { confirmed } from './confirm.js'
import { EXIT } from './exit.js'
import { print } from './print.js'
import type { Env } from './start.js'

type Backups = App['backups']
type Verdict = Awaited<ReturnType<Backups['verify']>>

/** Takes a backup as a server would; one that runs keeps the log meanwhile. */
export const create = (env: Env, options: CreateOptions): Promise<number> =>
  served(env, async (backups, call) => {
    const { type, compress, encrypt = false } = options
    const taken = await backups.create({ type, compress, encrypt }, call)
    print(taken, options, (one) => {
      const reason = one.reason ? ` (${one.reason})` : ''
      const issues = one.issues.map((issue) => `  - ${issue}\n`).join('')
      return `${one.type} backup ${one.backup_id}${reason}: ${one.size_bytes} bytes in ${one.location}\n${issues}`
    })
    return EXIT.ok
  })

/** Restores a backup beside, the newest full one unless another is named, and prints whether all of it is right. */
export const drill = (env: Env, backupId: string | null, options: Printed): Promise<number> =>
  served(env, async (backups, call) => {
    const backup_id = backupId ?? (await backups.latest()).latest_full?.backup_id
    if (backup_id === undefined) {
      throw new AppError('not_found', 'There is no full backup yet.', {
        hint: 'Take one: catalyst-db backup create --type full',
      })
    }
    return told(await backups.verify({ backup_id, level: 'restore' }, call), options)
  })

/** Ends the log of the database, once that was confirmed, and says what that ends. */
export const stop = (env: Env, options: ConfirmedOptions): Promise<number> =>
  served(env, async (backups) => {
    const { covered_until } = await backups.latest()
    const message =
      'The log ends: moments after it can be restored no more, until a log and a full backup begin anew.'
    await confirmed({ message, plan: { covered_until } }, options, 'backup stop')
    print(await backups.stopLog(), options, (ended) =>
      ended.slot === null && ended.publication === null
        ? 'No log was kept.\n'
        : `The log ended: every moment until ${ended.covered_until ?? 'the newest backup'} can be restored, none after it. It begins again ${ended.begins_again}.\n`,
    )
    return EXIT.ok
  })

/** Prints a verdict; exits with 7 when something is wrong. */
export function told(verdict: Verdict, options: Printed): number {
  print(verdict, options, readableVerdict)
  return verdict.valid ? EXIT.ok : EXIT.findings
}

function readableVerdict({ valid, issues, not_checked, objects, level, phases }: Verdict): string {
  const heading = valid
    ? `whole: ${objects} objects, level ${level}\n`
    : `damaged: ${issues.length} findings, level ${level}\n`
  const unchecked = not_checked.map((sentence) => `  not checked: ${sentence}\n`)
  const times = phases.map(({ name, duration_ms }) => `  ${name}: ${duration_ms} ms\n`)
  return [heading, ...issues.map((issue) => `  - ${issue}\n`), ...unchecked, ...times].join('')
}

const served = (
  env: Env,
  work: (backups: Backups, call: BackupCall) => Promise<number>,
): Promise<number> =>
  stoppable(env, async (config, call) => {
    const app = await openApp(config, createLog('silent'))
    try {
      return await work(app.backups, call)
    } finally {
      await app.close()
    }
  })
