import type { Concern, Judgement, MeasuredCheck } from '../../lib/check.js'
import type { Clock } from '../../lib/clock.js'
import type { Policy } from '../../policy.js'
import type { BackupService } from './service.js'

type Latest = Awaited<ReturnType<BackupService['latest']>>

const HOUR_MS = 3_600_000
const NOT_YET = 'Nothing was looked at yet.'
const NO_BACKUP = 'No backup has been taken yet; create_backup begins.'
/** How many segments may be late before what could be lost is told. */
const LATE_SEGMENTS = 8
const VERY_LATE_SEGMENTS = 40

/** Says how backups are, from what was last read: to monitoring, and in `db/status`. */
export class BackupWatch {
  readonly #service: Pick<BackupService, 'latest'>
  readonly #policy: Policy
  readonly #clock: Clock
  #latest: Latest | null = null
  #looks = 0
  /** Which look it is of. */
  #look = 0

  constructor(service: Pick<BackupService, 'latest'>, policy: Policy, clock: Clock) {
    this.#service = service
    this.#policy = policy
    this.#clock = clock
  }

  /** Reads it anew; one that began before another that has ended already is forgotten. */
  async look(): Promise<void> {
    const look = ++this.#looks
    const latest = await this.#service.latest()
    if (look < this.#look) return
    this.#look = look
    this.#latest = latest
  }

  objectStore() {
    return this.#latest?.store ?? { status: 'unknown' as const, reason: NOT_YET }
  }

  /** The newest backup; null while there is none. */
  lastBackup() {
    const { latest_full: full, latest_incremental: incremental } = this.#latest ?? {}
    const newest = [full, incremental]
      .filter((one) => one != null)
      .sort((a, b) => (a.timestamp < b.timestamp ? 1 : -1))[0]
    if (!this.#latest || !newest) return null
    return {
      at: newest.timestamp,
      backup_id: newest.backup_id,
      covered_until: this.#latest.covered_until,
      rpo_seconds: this.#latest.rpo_seconds,
      verified_at: this.#latest.last_verified?.at ?? null,
    }
  }

  /** What well means for backups. */
  get checks(): readonly MeasuredCheck[] {
    const { backup_overdue_hours: overdue, backup_unverified_days: unverified } =
      this.#policy.monitoring
    return [
      this.#check('backup_overdue', ({ latest_full }) =>
        latest_full === null
          ? { unknown: NO_BACKUP }
          : judged(this.#hoursSince(latest_full.timestamp), overdue, (hours) => ({
              object: latest_full.backup_id,
              title: `The last full backup is ${hours.toFixed(1)} hours old.`,
              evidence: { backup_id: latest_full.backup_id, taken_at: latest_full.timestamp },
              next_step: 'Take a full backup, and see why the schedule did not.',
              tool: { name: 'create_backup', arguments: { type: 'full' } },
            })),
      ),
      this.#check('backup_unverified', ({ latest_full, last_drill }) =>
        latest_full === null
          ? { unknown: NO_BACKUP }
          : last_drill === null
            ? {
                unknown:
                  'No backup was restored for proof yet; verify_backup with level restore does.',
              }
            : judged(this.#hoursSince(last_drill.at) / 24, unverified, (days) => ({
                object: null,
                title: `A backup was restored for proof ${days.toFixed(1)} days ago.`,
                evidence: { last_drill_at: last_drill.at, valid: last_drill.valid },
                next_step: 'Restore the newest backup for proof.',
                tool: {
                  name: 'verify_backup',
                  arguments: { backup_id: latest_full.backup_id, level: 'restore' },
                },
              })),
      ),
      this.#check('backup_rpo', ({ rpo_seconds, log }) => {
        if (rpo_seconds === null) return { unknown: NO_BACKUP }
        if (log.state !== 'archiving') return { unknown: log.reason ?? `The log is ${log.state}.` }
        const segment = this.#policy.backups.segment_seconds
        const bounds = [LATE_SEGMENTS * segment, VERY_LATE_SEGMENTS * segment] as const
        return judged(rpo_seconds, bounds, (seconds) => ({
          object: null,
          title: `What was written in the last ${Math.round(seconds)} seconds is in no backup.`,
          evidence: { rpo_seconds: seconds, lag_bytes: log.lag_bytes },
          next_step: 'Look at catalyst://db/backups/latest: whether the object store is there.',
        }))
      }),
      this.#check('backup_failing', ({ store }) =>
        judged(store.status === 'failing' ? 1 : 0, [1, 1], () => ({
          object: null,
          title: `The object store fails: ${store.reason ?? 'no reason was given'}.`,
          evidence: { store },
          next_step:
            'Mend the object store or its credentials; the log is kept until its budget is full.',
        })),
      ),
    ]
  }

  #hoursSince(at: string): number {
    return Math.max(0, (this.#clock.now().getTime() - Date.parse(at)) / HOUR_MS)
  }

  #check(name: string, judge: (latest: Latest) => Judgement): MeasuredCheck {
    return {
      name,
      measure: () => (this.#latest ? judge(this.#latest) : { unknown: NOT_YET }),
    }
  }
}

/** A figure against its two bounds. */
function judged(
  value: number,
  [warning, critical]: readonly [warning: number, critical: number],
  told: (value: number) => Omit<Concern, 'severity' | 'threshold'>,
): Judgement {
  const severity = value >= critical ? 'critical' : value >= warning ? 'warning' : null
  const threshold = severity === 'critical' ? critical : warning
  const concerns = severity ? [{ ...told(value), severity, threshold } as Concern] : []
  return { value, threshold, concerns }
}
