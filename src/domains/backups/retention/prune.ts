import type { Clock } from '../../../lib/clock.js'
import { instantText } from '../../../lib/utc-text.js'
import type { Archive } from '../archive/archive.js'
import { isBackupId } from '../archive/keys.js'
import { planRetention, type RetentionPolicy } from './plan.js'

/** What pruning is made from. */
export interface PruneDeps {
  readonly archive: Archive
  readonly policy: RetentionPolicy
  readonly clock: Clock
  /** Only says what it would do. */
  readonly dryRun: boolean
  readonly signal: AbortSignal
  /** Named places at which a test may end the process. */
  readonly step?: ((name: string) => unknown) | undefined
}

/** What was done, or would be. */
export interface Pruned {
  readonly archive_id: string
  readonly expired: readonly string[]
  readonly kept: readonly string[]
  readonly segments: number
  /** What nobody ended: objects that belong to no backup, and uploads. */
  readonly leftovers: number
  readonly freed_bytes: number
  /** Objects that the store keeps, under Object Lock or for want of the right. */
  readonly retained: number
}

/** What a backup that is still taken, or a log that is still kept, may be about to refer to. */
const LEFTOVER_MS = 24 * 3_600_000

/**
 * Removes what retention no longer keeps, and what nobody ended. It may be ended anywhere: a backup is none from its
 * tombstone on, the log goes from its beginning, and the next time goes on.
 *
 * @throws AppError when the store cannot be asked
 */
export async function prune(deps: PruneDeps): Promise<Pruned> {
  const { archive, policy, clock, dryRun, signal, step } = deps
  const { keys, objects } = archive
  const removing = new Removing(deps)
  const plan = await planRetention(archive, policy, clock.now())
  const at = instantText(clock.now())
  for (const { backup_id, type } of [...plan.expired].reverse()) {
    signal.throwIfAborted()
    if (!dryRun) {
      const reason = `Retention keeps ${policy.keep_fulls} full backups and ${policy.keep_days} days.`
      await archive.putTombstone({ archive_id: archive.id, backup_id, at, reason, keys: [] })
      await step?.('prune:tombstone')
    }
    await removing.backup(backup_id)
    await step?.(`prune:${type}`)
  }
  for (const backupId of await archive.tombstoned()) await removing.backup(backupId)
  for (const segment of plan.segments) {
    signal.throwIfAborted()
    // Without its sidecar a segment is none, whatever becomes of its object.
    const { key } = await archive.sidecar(segment).catch(() => ({ key: null }))
    await removing.object(keys.sidecar(segment))
    await step?.('prune:sidecar')
    if (key) await removing.object(key)
  }
  const before = new Date(clock.now().getTime() - LEFTOVER_MS)
  const leftovers = await removeLeftovers(archive, removing, before)
  const uploads = dryRun ? 0 : await objects.abandonUploads(before)
  return {
    archive_id: archive.id,
    expired: plan.expired.map(({ backup_id }) => backup_id),
    kept: plan.kept.map(({ backup_id }) => backup_id),
    segments: plan.segments.length,
    leftovers: leftovers + uploads,
    freed_bytes: removing.freed,
    retained: removing.retained,
  }
}

/** Removes one object after another, or only counts. */
class Removing {
  readonly #deps: PruneDeps
  readonly #seen = new Set<string>()
  freed = 0
  retained = 0

  constructor(deps: PruneDeps) {
    this.#deps = deps
  }

  /** Its manifest goes first, and its tombstone last, when nothing of it is left. */
  async backup(backupId: string): Promise<void> {
    if (this.#seen.has(backupId)) return
    this.#seen.add(backupId)
    const { archive, dryRun, step } = this.#deps
    const { keys, objects } = archive
    const kept = this.retained
    await this.object(keys.manifest(backupId))
    await step?.('prune:manifest')
    for (const prefix of [keys.backup(backupId), keys.verified(backupId)]) {
      for await (const { key } of objects.list(prefix)) {
        if (key !== keys.manifest(backupId)) await this.object(key)
      }
    }
    if (!dryRun && this.retained === kept) await objects.remove(keys.tombstone(backupId))
  }

  async object(key: string): Promise<void> {
    const { archive, dryRun } = this.#deps
    const found = await archive.objects.head(key)
    if (!found) return
    const removal = dryRun ? 'removed' : await archive.objects.remove(key)
    if (removal === 'retained') this.retained += 1
    if (removal === 'removed') this.freed += found.bytes
  }
}

/** Objects of backups that never came to be, and segments whose sidecar never did, once nobody can be at it any more. */
async function removeLeftovers(archive: Archive, removing: Removing, before: Date) {
  const { objects, keys } = archive
  const unowned = new Map<string, { keys: string[]; isOld: boolean }>()
  for (const type of ['full', 'incremental'] as const) {
    const prefix = keys.backups(type)
    const whole = new Set(await archive.backupIds(type))
    for (const id of await archive.tombstoned()) whole.add(id)
    for await (const { key, modifiedAt } of objects.list(prefix)) {
      const [id = ''] = key.slice(prefix.length).split('/')
      if (!isBackupId(id) || whole.has(id)) continue
      const found = unowned.get(id) ?? { keys: [], isOld: true }
      found.keys.push(key)
      found.isOld &&= modifiedAt < before
      unowned.set(id, found)
    }
  }
  const stale = [...unowned.values()].filter(({ isOld }) => isOld).flatMap(({ keys }) => keys)
  const named = new Set<string>()
  const segments: string[] = []
  for await (const { key, modifiedAt } of objects.list(keys.log)) {
    const name = keys.parseLog(key)
    if (!name) continue
    if (name.isSidecar) named.add(key)
    else if (modifiedAt < before) segments.push(key)
  }
  for (const key of segments) {
    const name = keys.parseLog(key)
    if (name && !named.has(keys.sidecar(name))) stale.push(key)
  }
  for (const key of stale) await removing.object(key)
  return stale.length
}
