import { openStoredBackups } from '../commands.js'
import { stoppable } from './backup-call.js'
import type { ListOptions, PruneOptions, VerifyOptions } from './backup-options.js'
import { drill, told } from './backup-served.js'
import { confirmed } from './confirm.js'
import { EXIT } from './exit.js'
import { print } from './print.js'
import type { Env } from './start.js'
import { table } from './table.js'

type Stored = Awaited<ReturnType<typeof openStoredBackups>>

/** Prints every backup in the store. */
export const list = (env: Env, options: ListOptions): Promise<number> =>
  stoppable(env, async (config) => {
    const stored = await openStoredBackups(config)
    try {
      print(await stored.list(options.type), options, readableList)
      return EXIT.ok
    } finally {
      stored.close()
    }
  })

/** Prints whether a backup is whole. A restore to prove it is made beside the database, by a server of it. */
export const verify = (env: Env, backup_id: string, options: VerifyOptions): Promise<number> => {
  const { level } = options
  if (level === 'restore') return drill(env, backup_id, options)
  return stoppable(env, async (config, call) => {
    const stored = await openStoredBackups(config)
    try {
      return told(await stored.verify(backup_id, level, call), options)
    } finally {
      stored.close()
    }
  })
}

/** Removes what retention no longer keeps, once that was confirmed. */
export const prune = (env: Env, options: PruneOptions): Promise<number> =>
  stoppable(env, async (config, call) => {
    const stored = await openStoredBackups(config)
    try {
      const plan = await stored.prune(true, call)
      const isNothing = plan.every((one) => one.expired.length + one.segments + one.leftovers === 0)
      if (options.dryRun || isNothing) {
        print({ dry_run: true, archives: plan }, options, ({ archives }) =>
          readablePrune(archives, 'Would remove'),
        )
        return EXIT.ok
      }
      const expired = plan.flatMap((one) => one.expired)
      const message = 'These backups and this part of the log are removed from the store for good.'
      const question = {
        message,
        plan: { backups: expired, segments: plan.reduce((sum, one) => sum + one.segments, 0) },
      }
      await confirmed(question, options, 'backup prune')
      const archives = await stored.prune(false, call)
      print({ dry_run: false, archives }, options, () => readablePrune(archives, 'Removed'))
      return EXIT.ok
    } finally {
      stored.close()
    }
  })

function readableList({ location, backups }: Awaited<ReturnType<Stored['list']>>): string {
  if (backups.length === 0) return `There is no backup in ${location}.\n`
  const rows = backups.map((one) => [
    one.backup_id,
    one.type,
    one.database ?? '',
    one.covered_until ?? '',
    one.size ?? '',
    one.encrypted ? 'yes' : 'no',
    one.verified_at ? `${one.verified_level} ${one.verified_at}` : 'never',
    one.error ?? one.status,
  ])
  const head = [
    'BACKUP',
    'TYPE',
    'DATABASE',
    'COVERED UNTIL',
    'SIZE',
    'ENCRYPTED',
    'VERIFIED',
    'STATUS',
  ]
  return `${location}\n${table(head, rows)}`
}

function readablePrune(archives: Awaited<ReturnType<Stored['prune']>>, doing: string): string {
  return archives
    .map(({ archive_id, expired, kept, segments, leftovers, freed_bytes, retained }) => {
      const kept_back = retained > 0 ? `; the store keeps ${retained} objects back` : ''
      const what = `${expired.length} backups, ${segments} segments of the log, ${leftovers} leftovers`
      return `archive ${archive_id}\n  ${doing} ${what} (${freed_bytes} bytes)${kept_back}; ${kept.length} backups stay\n`
    })
    .join('')
}
