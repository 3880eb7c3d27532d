import { humanBytes } from '../../../lib/bytes.js'
import type { Approach, Concern, Judgement, MeasuredCheck } from '../../../lib/check.js'
import { utcText } from '../../../lib/utc-text.js'
import type { Pulse } from '../pulse.sql.js'
import { inWords } from '../trend.js'
import { isPlain, judged, severityOf, type Thresholds, tenth, type View } from '../view.js'

const MB = 1024 * 1024

/** Copies of the database, and the WAL that is kept for them. */
export const replicationChecks = (view: View, limits: Thresholds): MeasuredCheck[] => [
  { name: 'replication_lag', measure: () => judged(view.pulse, (it) => lag(it, limits)) },
  { name: 'replication_slot_inactive', measure: () => judged(view.pulse, inactiveSlots) },
  { name: 'replication_slot_wal', measure: () => judged(view.pulse, (it) => slotWal(it, limits)) },
  { name: 'archiver_failing', measure: () => judged(view.pulse, archiver) },
]

function lag(pulse: Pulse, limits: Thresholds): Judgement {
  const { replicas, may_see_all, role } = pulse
  const threshold = limits.replication_lag_seconds[0]
  if (replicas.length > 0 && !may_see_all) {
    return { unknown: `The role does not see how far replicas are: grant pg_monitor to "${role}".` }
  }
  const value = tenth(Math.max(0, ...replicas.map(({ lag_seconds }) => lag_seconds ?? 0)))
  const concerns = replicas.flatMap(({ name, state, lag_seconds, lag_bytes }): Concern[] => {
    const severity =
      severityOf(lag_seconds ?? 0, limits.replication_lag_seconds) ??
      severityOf((lag_bytes ?? 0) / MB, limits.replication_lag_mb)
    if (!severity) return []
    const behind = [
      lag_seconds === null ? null : inWords(lag_seconds),
      lag_bytes === null ? null : humanBytes(lag_bytes),
    ].filter((part) => part !== null)
    return [
      {
        severity,
        object: name,
        title: `The replica ${isPlain(name) ? name : 'of another name'} is ${behind.join(' and ')} behind.`,
        evidence: { replica: name, state, lag_seconds, lag_bytes },
        threshold,
        next_step:
          'Look at its load, its disk and the network to it; until it has caught up, do not read fresh data from it.',
        tool: { name: 'read_resource', arguments: { uri: 'db/status' } },
      },
    ]
  })
  return { value, threshold, concerns }
}

/** A slot that nobody reads keeps WAL until the disk is full; which of them are meant to is only known to people. */
function inactiveSlots({ slots }: Pulse): Judgement {
  const idle = slots.filter(({ active, temporary }) => !active && !temporary)
  const concerns = idle.map(
    ({ name, type, retained_bytes, wal_status }): Concern => ({
      severity: 'critical',
      object: name,
      title: `Nobody reads the replication slot ${name}; ${retained_bytes === null ? 'it keeps WAL' : `it keeps ${humanBytes(retained_bytes)} of WAL`} until the disk is full.`,
      evidence: { slot: name, type, retained_bytes, wal_status },
      threshold: 1,
      next_step: `Start its consumer; if there is none any more: select pg_drop_replication_slot('${name}').`,
    }),
  )
  return {
    value: idle.length,
    threshold: 1,
    concerns,
    approaches: slotApproaches(slots, Number.POSITIVE_INFINITY),
  }
}

function slotWal({ slots }: Pulse, limits: Thresholds): Judgement {
  const threshold = limits.slot_wal_mb[0] * MB
  const value = Math.max(0, ...slots.map(({ retained_bytes }) => retained_bytes ?? 0))
  const concerns = slots.flatMap(({ name, active, retained_bytes, wal_status }): Concern[] => {
    const isLost = wal_status === 'lost' || wal_status === 'unreserved'
    const severity = isLost
      ? 'critical'
      : severityOf((retained_bytes ?? 0) / MB, limits.slot_wal_mb)
    if (!severity) return []
    return [
      {
        severity,
        object: name,
        title: isLost
          ? `The replication slot ${name} has lost WAL that it still needed (${wal_status}).`
          : `The replication slot ${name} keeps ${humanBytes(retained_bytes ?? 0)} of WAL.`,
        evidence: { slot: name, active, retained_bytes, wal_status },
        threshold,
        next_step: isLost
          ? 'Its consumer has to be built anew; drop the slot.'
          : active
            ? 'Its consumer reads too slowly: look at it, or set max_slot_wal_keep_size.'
            : `Start its consumer, or drop the slot: select pg_drop_replication_slot('${name}').`,
      },
    ]
  })
  return {
    value,
    threshold,
    concerns,
    approaches: slotApproaches(slots, limits.slot_wal_mb[1] * MB),
  }
}

const slotApproaches = (slots: Pulse['slots'], limit: number): Approach[] =>
  slots.flatMap(({ name, retained_bytes }) =>
    retained_bytes === null || !Number.isFinite(limit)
      ? []
      : [{ object: name, value: retained_bytes, limit, what: 'WAL of the slot' }],
  )

function archiver({ archiver: it }: Pulse): Judgement {
  if (it.mode === 'off')
    return { value: 'archive_mode is off', threshold: 'no failure', concerns: [] }
  if (!it.is_failing) return { value: it.failed, threshold: 'no failure', concerns: [] }
  const last = it.last_archived_at ? `since ${utcText(it.last_archived_at)}` : 'ever'
  const concern: Concern = {
    severity: 'critical',
    object: it.last_failed_wal,
    title: `archive_command fails (${it.failed} times); no WAL was archived ${last}.`,
    evidence: {
      failed: it.failed,
      archived: it.archived,
      last_failed_wal: it.last_failed_wal,
      last_failed_at: it.last_failed_at && utcText(it.last_failed_at),
      last_archived_at: it.last_archived_at && utcText(it.last_archived_at),
    },
    threshold: 'no failure',
    next_step:
      'The log of PostgreSQL has its output; until it works, pg_wal grows and nothing new can be restored from the archive.',
  }
  return { value: it.failed, threshold: 'no failure', concerns: [concern] }
}
