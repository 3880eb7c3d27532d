import { humanBytes } from '../../../lib/bytes.js'
import type { Concern, Judgement, MeasuredCheck } from '../../../lib/check.js'
import {
  judged,
  lowSeverityOf,
  othersOf,
  percentText,
  ratio,
  severityOf,
  type Thresholds,
  type View,
  type Window,
} from '../view.js'

/** Of fewer transactions a share says nothing. */
const ENOUGH_TRANSACTIONS = 1_000
/** The same of blocks. */
const ENOUGH_BLOCKS = 10_000
/** Below this nothing came from the disk to speak of, whatever its share. */
const BUSY_BLOCKS_PER_SECOND = 1_000
const TEN_MINUTES = 600
const MB = 1024 * 1024
const FIRST = 'Counters are compared between two samples, and there is one so far.'

/** What is counted. */
export const counterChecks = (view: View, limits: Thresholds): MeasuredCheck[] => [
  { name: 'deadlocks', measure: () => deadlocks(view, limits) },
  { name: 'rollback_ratio', measure: () => rollbackRatio(view, limits) },
  { name: 'cache_hit_ratio', measure: () => cacheHitRatio(view, limits) },
  { name: 'temp_files', measure: () => tempFiles(view, limits) },
  { name: 'checkpoints_requested', measure: () => checkpointsRequested(view, limits) },
  { name: 'checksum_failures', isSettled: true, measure: () => checksumFailures(view) },
]

/** Counters that were reset begin anew: until there are two samples nothing is known. */
const counted = (view: View, seconds: number, judge: (window: Window) => Judgement): Judgement =>
  judged(view.pulse, () => {
    const window = view.window(seconds)
    return window ? judge(window) : { unknown: FIRST }
  })

function deadlocks(view: View, limits: Thresholds): Judgement {
  return counted(view, 60, (window) => {
    const value = window.deadlocks
    const threshold = limits.deadlocks_per_minute[0]
    const severity = severityOf(value, limits.deadlocks_per_minute)
    if (!severity) return { value, threshold, concerns: [] }
    const hour = view.window(3_600)?.deadlocks ?? value
    const concern: Concern = {
      severity,
      object: null,
      title: `${value} ${value === 1 ? 'deadlock' : 'deadlocks'} in the last minute, ${hour} in the last hour.`,
      evidence: { deadlocks_last_minute: value, deadlocks_last_hour: hour },
      threshold,
      next_step:
        'The log of PostgreSQL names both statements; have every transaction lock rows and tables in the same order.',
      tool: { name: 'read_resource', arguments: { uri: 'db/locks' } },
    }
    return { value, threshold, concerns: [concern] }
  })
}

function rollbackRatio(view: View, limits: Thresholds): Judgement {
  return counted(view, TEN_MINUTES, ({ commits, rollbacks, seconds }) => {
    const all = commits + rollbacks
    const threshold = limits.rollback_pct[0] / 100
    if (all < ENOUGH_TRANSACTIONS)
      return { value: all === 0 ? null : ratio(rollbacks / all), threshold, concerns: [] }
    const share = rollbacks / all
    const severity = severityOf(share * 100, limits.rollback_pct)
    if (!severity) return { value: ratio(share), threshold, concerns: [] }
    const concern: Concern = {
      severity,
      object: null,
      title: `${percentText(share)} of ${all} transactions were rolled back in the last ${Math.round(seconds / 60)} min.`,
      evidence: { commits, rollbacks, share: ratio(share), seconds: Math.round(seconds) },
      threshold,
      next_step:
        'Look for what fails: the logs of the applications, and db/events of type db.error.',
      tool: { name: 'list_events', arguments: { types: ['db.error'] } },
    }
    return { value: ratio(share), threshold, concerns: [concern] }
  })
}

/** Not right after a start, when every cache is cold, and not while next to nothing is read. */
function cacheHitRatio(view: View, limits: Thresholds): Judgement {
  return counted(view, TEN_MINUTES, ({ blocks_hit, blocks_read, seconds }) => {
    const all = blocks_hit + blocks_read
    const threshold = limits.cache_hit_pct[0] / 100
    const share = all === 0 ? null : blocks_hit / all
    if (share === null || all < ENOUGH_BLOCKS) {
      return { value: share === null ? null : ratio(share), threshold, concerns: [] }
    }
    const severity = lowSeverityOf(share * 100, limits.cache_hit_pct)
    const isBusy = blocks_read / seconds >= BUSY_BLOCKS_PER_SECOND / 10
    if (!severity || !isBusy) return { value: ratio(share), threshold, concerns: [] }
    const started = 'value' in view.pulse ? view.pulse.value.started_at : null
    const upSeconds =
      started && 'value' in view.pulse
        ? (view.pulse.value.at_ms - Date.parse(started)) / 1_000
        : TEN_MINUTES
    const isCold = upSeconds < TEN_MINUTES
    const concern: Concern = {
      severity: isCold ? 'info' : severity,
      object: null,
      title: isCold
        ? `PostgreSQL started ${Math.round(upSeconds / 60)} min ago and its cache is cold: ${percentText(share)} of blocks are found there.`
        : `${percentText(share)} of blocks were found in the cache of PostgreSQL in the last ${Math.round(seconds / 60)} min.`,
      evidence: {
        blocks_hit,
        blocks_read,
        share: ratio(share),
        seconds: Math.round(seconds),
        postgres_started_at: started,
        shared_buffers: 'value' in view.pulse ? view.pulse.value.settings.shared_buffers : null,
      },
      threshold,
      next_step: isCold
        ? 'Nothing: it warms by use. Compare again in ten minutes.'
        : 'Find the statements that read most (db/slow-queries); if all of it is needed, raise shared_buffers.',
      tool: { name: 'read_resource', arguments: { uri: 'db/slow-queries' } },
      afterMs: 60_000,
    }
    return { value: ratio(share), threshold, concerns: [concern] }
  })
}

function tempFiles(view: View, limits: Thresholds): Judgement {
  return counted(view, TEN_MINUTES, ({ temp_files, temp_bytes }) => {
    const threshold = limits.temp_files_per_10_minutes[0]
    // Few large ones count as much as many small ones.
    const severity =
      severityOf(temp_bytes / MB, limits.temp_mb_per_10_minutes) ??
      (temp_files > limits.temp_files_per_10_minutes[0]
        ? severityOf(temp_files, limits.temp_files_per_10_minutes)
        : null)
    if (!severity) return { value: temp_files, threshold, concerns: [] }
    const use = 'value' in view.statements ? view.statements.value.use(TEN_MINUTES) : null
    const spilling = use
      ? othersOf(view, use)
          .filter(({ temp_blocks }) => temp_blocks > 0)
          .sort((a, b) => b.temp_blocks - a.temp_blocks)[0]
      : undefined
    const spilled = spilling && use ? spilling.temp_blocks * use.block_size : null
    const workMem = 'value' in view.pulse ? view.pulse.value.settings.work_mem : null
    const concern: Concern = {
      severity,
      object: spilling ? `statement ${spilling.queryid}` : null,
      title:
        spilling && spilled !== null
          ? `Statements spilled ${humanBytes(temp_bytes)} to ${temp_files} files in ten minutes; statement ${spilling.queryid} wrote ${humanBytes(spilled)} of it in ${spilling.calls} calls.`
          : `Statements spilled ${humanBytes(temp_bytes)} to ${temp_files} files in ten minutes.`,
      evidence: {
        temp_files,
        temp_bytes,
        work_mem: workMem,
        queryid: spilling?.queryid ?? null,
        query: spilling ? (view.texts.get(spilling.key)?.query ?? null) : null,
        statement_bytes: spilled,
        statement_bytes_per_call: spilled && spilling ? Math.round(spilled / spilling.calls) : null,
      },
      threshold,
      next_step: `Give this statement an index in its order, or more work_mem (now ${workMem}) in its session or role.`,
      tool: { name: 'read_resource', arguments: { uri: 'db/slow-queries?threshold_ms=0' } },
    }
    return { value: temp_files, threshold, concerns: [concern] }
  })
}

function checkpointsRequested(view: View, limits: Thresholds): Judgement {
  return counted(view, TEN_MINUTES, ({ checkpoints_requested: value, wal_bytes, seconds }) => {
    const threshold = limits.checkpoints_requested_per_10_minutes[0]
    const severity =
      value > threshold ? severityOf(value, limits.checkpoints_requested_per_10_minutes) : null
    if (!severity) return { value, threshold, concerns: [] }
    const size = 'value' in view.pulse ? view.pulse.value.settings.max_wal_size : null
    const concern: Concern = {
      severity,
      object: 'max_wal_size',
      title: `${value} checkpoints were forced in ${Math.max(1, Math.round(seconds / 60))} min: max_wal_size is ${size} and ${humanBytes(wal_bytes / seconds)} of WAL are written a second.`,
      evidence: {
        checkpoints_requested: value,
        seconds: Math.round(seconds),
        wal_bytes,
        max_wal_size: size,
      },
      threshold,
      next_step: 'Raise max_wal_size until checkpoints come by checkpoint_timeout again.',
    }
    return { value, threshold, concerns: [concern] }
  })
}

function checksumFailures(view: View): Judgement {
  return judged(view.pulse, ({ checksum_failures: value, checksum_failed_at }) => {
    if (value === null) return { unknown: 'The cluster was made without data checksums.' }
    if (value === 0) return { value, threshold: 1, concerns: [] }
    const concern: Concern = {
      severity: 'critical',
      object: null,
      title: `${value} ${value === 1 ? 'page' : 'pages'} of this database did not match their checksum.`,
      evidence: { checksum_failures: value, last_failure_at: checksum_failed_at },
      threshold: 1,
      next_step:
        'Stop writing, copy the data directory, look at disk and memory, and restore what is damaged from a backup.',
    }
    return { value, threshold: 1, concerns: [concern] }
  })
}
