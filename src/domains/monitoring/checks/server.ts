import { statfs } from 'node:fs/promises'
import { totalmem } from 'node:os'
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'
import { humanBytes } from '../../../lib/bytes.js'
import type { Concern, Judgement, MeasuredCheck } from '../../../lib/check.js'
import type { Catalog } from '../catalog.sql.js'
import type { Pulse } from '../pulse.sql.js'
import {
  judged,
  percentText,
  ratio,
  severityOf,
  type Thresholds,
  tenth,
  type View,
} from '../view.js'

/** A delay that lasted: a large batch keeps the loop busy for a moment, and is meant to. */
const LASTING_MS = 60_000
/** The histogram's own resolution is part of what it measures. */
const RESOLUTION_MS = 10
const AUDIT_SHARE = 0.1
const MB = 1024 * 1024

/** What the server process knows of itself. */
export class ProcessWatch {
  readonly #delay: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  /** 99th percentile of the last sample, in milliseconds. */
  delayMs: number | null = null

  constructor() {
    this.#delay.enable()
  }

  /** Ends a sample and begins the next. */
  sample(): void {
    const p99 = this.#delay.percentile(99) / 1e6
    this.delayMs = this.#delay.count > 0 ? Math.max(0, tenth(p99 - RESOLUTION_MS)) : null
    this.#delay.reset()
  }

  /** Resident memory, and the least limit there is: of its container, or of the machine. */
  get memory(): { readonly used: number; readonly limit: number } {
    const constrained = process.constrainedMemory?.() ?? 0
    const machine = totalmem()
    const limit = constrained > 0 && constrained < machine ? constrained : machine
    return { used: process.memoryUsage.rss(), limit }
  }

  stop(): void {
    this.#delay.disable()
  }
}

/** What is known of the ways to look at this server. */
export interface ServerFacts {
  readonly process: ProcessWatch
  readonly server: string
  /** Milliseconds of the database that looking took in the last minute. */
  readonly ownMsPerMinute: () => number | null
  /** The data directory, where it is on this machine. */
  readonly dataDirectory: string | null
}

/** The server process and the machine. */
export const serverChecks = (
  view: View,
  limits: Thresholds,
  facts: ServerFacts,
): MeasuredCheck[] => [
  { name: 'server_settings', measure: () => judged(view.pulse, serverSettings) },
  { name: 'disk_used', measure: () => diskUsed(facts.dataDirectory, limits) },
  { name: 'event_loop_lag', isOwn: true, measure: () => eventLoopLag(facts, limits) },
  { name: 'process_memory', isOwn: true, measure: () => processMemory(facts, limits) },
  { name: 'own_overhead', isOwn: true, measure: () => ownOverhead(facts, limits) },
  { name: 'audit_growth', measure: () => judged(view.catalog, (it) => auditGrowth(it, limits)) },
]

/**
 * Minor releases that should not be run, by their own release notes: what the next one mends.
 * https://www.postgresql.org/docs/release/
 */
const FAULTY: readonly {
  readonly from: number
  readonly to: number
  readonly why: string
  readonly fixed: string
}[] = [
  {
    from: 140_000,
    to: 140_003,
    why: 'CREATE INDEX CONCURRENTLY can make a corrupt index',
    fixed: '14.4',
  },
  {
    from: 140_014,
    to: 140_014,
    why: 'its interface for extensions changed and ALTER ROLE … SET ROLE does not work',
    fixed: '14.15',
  },
  {
    from: 150_009,
    to: 150_009,
    why: 'its interface for extensions changed and ALTER ROLE … SET ROLE does not work',
    fixed: '15.10',
  },
  {
    from: 160_005,
    to: 160_005,
    why: 'its interface for extensions changed and ALTER ROLE … SET ROLE does not work',
    fixed: '16.6',
  },
  {
    from: 170_001,
    to: 170_001,
    why: 'its interface for extensions changed and ALTER ROLE … SET ROLE does not work',
    fixed: '17.2',
  },
]

function serverSettings({ settings, version, version_num }: Pulse): Judgement {
  const wanted = [
    {
      name: 'fsync',
      severity: 'critical',
      why: 'a crash of the machine can destroy the whole database',
    },
    {
      name: 'full_page_writes',
      severity: 'critical',
      why: 'a crash of the machine can leave torn pages',
    },
    { name: 'autovacuum', severity: 'warning', why: 'dead rows and old transaction ids pile up' },
    { name: 'track_counts', severity: 'warning', why: 'autovacuum does not know what to do' },
  ] as const
  const off = wanted.flatMap(({ name, severity, why }): Concern[] =>
    settings[name] === 'off'
      ? [
          {
            severity,
            object: name,
            title: `${name} is off: ${why}.`,
            evidence: { setting: name, value: 'off', version },
            threshold: 'on',
            next_step: `Set it on: alter system set ${name} = on; select pg_reload_conf().`,
          },
        ]
      : [],
  )
  const faulty = FAULTY.find(({ from, to }) => version_num >= from && version_num <= to)
  const release: Concern[] = faulty
    ? [
        {
          severity: 'warning',
          object: `PostgreSQL ${version}`,
          title: `PostgreSQL ${version} has a known fault: ${faulty.why}.`,
          evidence: { version, fixed_in: faulty.fixed },
          threshold: faulty.fixed,
          next_step: `Update to ${faulty.fixed} or later: new programs and a restart.`,
        },
      ]
    : []
  const value = wanted.map(({ name }) => `${name} ${settings[name]}`).join(', ')
  return { value, threshold: 'on, no release with known faults', concerns: [...off, ...release] }
}

async function diskUsed(directory: string | null, limits: Thresholds): Promise<Judgement> {
  const threshold = limits.disk_used_pct[0] / 100
  if (directory === null) {
    return { unknown: 'The disk of a PostgreSQL elsewhere cannot be seen over SQL.' }
  }
  const { blocks, bavail, bfree, bsize } = await statfs(directory)
  // As df counts: of what ordinary users can have.
  const used = (blocks - bfree) / Math.max(1, blocks - bfree + bavail)
  const approaches = [
    {
      object: directory,
      value: (blocks - bfree) * bsize,
      limit: (blocks - bfree + bavail) * bsize,
      what: 'disk',
    },
  ]
  const severity = severityOf(used * 100, limits.disk_used_pct)
  if (!severity) return { value: ratio(used), threshold, concerns: [], approaches }
  const concern: Concern = {
    severity,
    object: directory,
    title: `The disk of the data directory is ${percentText(used)} full; ${humanBytes(bavail * bsize)} are left.`,
    evidence: {
      directory,
      used_share: ratio(used),
      free_bytes: bavail * bsize,
      size_bytes: blocks * bsize,
    },
    threshold,
    next_step: 'Make room or a larger disk now: at 100 % PostgreSQL stops writing.',
  }
  return { value: ratio(used), threshold, concerns: [concern], approaches }
}

function eventLoopLag({ process: own, server }: ServerFacts, limits: Thresholds): Judgement {
  const value = own.delayMs
  const threshold = limits.event_loop_ms[0]
  if (value === null)
    return { unknown: 'It is measured between two samples, and there is one so far.' }
  const severity = severityOf(value, limits.event_loop_ms)
  if (!severity) return { value, threshold, concerns: [] }
  const concern: Concern = {
    severity,
    object: `server ${server}`,
    title: `This server answers ${value} ms late (99th percentile of its event loop).`,
    evidence: { event_loop_p99_ms: value },
    threshold,
    next_step:
      'It is short of processor time: send smaller batches, or run it on a machine that is less busy.',
    afterMs: LASTING_MS,
  }
  return { value, threshold, concerns: [concern] }
}

function processMemory({ process: own, server }: ServerFacts, limits: Thresholds): Judgement {
  const { used, limit } = own.memory
  const heap = getHeapStatistics()
  const share = Math.max(used / limit, heap.used_heap_size / heap.heap_size_limit)
  const threshold = limits.process_memory_pct[0] / 100
  const severity = severityOf(share * 100, limits.process_memory_pct)
  if (!severity) return { value: ratio(share), threshold, concerns: [] }
  const concern: Concern = {
    severity,
    object: `server ${server}`,
    title: `This server uses ${humanBytes(used)} of memory, ${percentText(share)} of what it may.`,
    evidence: {
      rss_bytes: used,
      limit_bytes: limit,
      heap_used_bytes: heap.used_heap_size,
      heap_limit_bytes: heap.heap_size_limit,
    },
    threshold,
    next_step: 'Give it more memory, or restart it when it is idle and report what it was doing.',
  }
  return { value: ratio(share), threshold, concerns: [concern] }
}

function ownOverhead({ ownMsPerMinute, server }: ServerFacts, limits: Thresholds): Judgement {
  const value = ownMsPerMinute()
  const threshold = limits.own_db_ms_per_minute
  if (value === null) return { unknown: 'It is known after the first minute.' }
  if (value <= threshold) return { value: Math.round(value), threshold, concerns: [] }
  const concern: Concern = {
    severity: 'warning',
    object: `server ${server}`,
    title: `Monitoring itself took ${Math.round(value)} ms of the database in the last minute.`,
    evidence: { own_db_ms_per_minute: Math.round(value) },
    threshold,
    next_step:
      'Raise monitoring.sample_seconds in the policy file; the database is slow, or has very many tables.',
  }
  return { value: Math.round(value), threshold, concerns: [concern] }
}

function auditGrowth({ audit_bytes, db_size_bytes }: Catalog, limits: Thresholds): Judgement {
  const share = db_size_bytes === 0 ? 0 : audit_bytes / db_size_bytes
  const threshold = limits.audit_mb * MB
  if (audit_bytes < threshold || share < AUDIT_SHARE)
    return { value: audit_bytes, threshold, concerns: [] }
  const concern: Concern = {
    severity: 'warning',
    object: 'catalyst.audit_log',
    title: `The audit log has ${humanBytes(audit_bytes)}, ${percentText(share)} of the database.`,
    evidence: { audit_bytes, db_size_bytes, share: ratio(share) },
    threshold,
    next_step:
      'Keep fewer months (audit.keep_months in the policy file); whole months are dropped.',
  }
  return { value: audit_bytes, threshold, concerns: [concern] }
}
