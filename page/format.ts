/** What is not known. */
const NONE = '–'

type Figure = number | string | boolean | null | undefined

/** Three figures at most, with spaces between thousands. */
export function count(value: number | null | undefined): string {
  if (value === null || value === undefined) return NONE
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2
  return value.toLocaleString('en', { maximumFractionDigits: digits }).replaceAll(',', '\u202f')
}

const SIZES = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']

/** Bytes in the largest unit of 1 024 that leaves a figure before the point. */
export function bytes(value: number | null | undefined): string {
  if (value === null || value === undefined) return NONE
  const step = value === 0 ? 0 : Math.floor(Math.log2(Math.abs(value)) / 10)
  const unit = Math.min(Math.max(step, 0), SIZES.length - 1)
  return `${count(value / 1024 ** unit)} ${SIZES[unit]}`
}

/** A share of one as per cent. */
export const percent = (value: number | null | undefined): string =>
  value === null || value === undefined ? NONE : `${count(value * 100)} %`

/** Milliseconds in the unit that suits them. */
export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return NONE
  if (ms < 1_000) return `${count(ms)} ms`
  if (ms < 120_000) return `${count(ms / 1_000)} s`
  if (ms < 2 * 3_600_000) return `${count(ms / 60_000)} min`
  if (ms < 48 * 3_600_000) return `${count(ms / 3_600_000)} h`
  return `${count(ms / 86_400_000)} d`
}

/** Seconds in the unit that suits them. */
export const seconds = (value: number | null | undefined): string =>
  value === null || value === undefined ? NONE : value === 0 ? '0 s' : duration(value * 1_000)

/** How long ago an instant was, or how soon it will be. */
export function ago(at: string | null | undefined, now: number): string {
  if (!at) return 'never'
  const ms = now - Date.parse(at)
  if (ms < -5_000) return `in ${whole(-ms)}`
  return ms < 5_000 ? 'just now' : `${whole(ms)} ago`
}

function whole(ms: number): string {
  const minutes = Math.round(ms / 60_000)
  if (ms < 90_000) return `${Math.round(ms / 1_000)} s`
  if (minutes < 120) return `${minutes} min`
  return minutes < 48 * 60 ? `${Math.round(minutes / 60)} h` : `${Math.round(minutes / 1_440)} d`
}

/** The time of day, of another day with its date; local to who looks. */
export function clock(at: string | number | null | undefined, now: number): string {
  if (at === null || at === undefined) return NONE
  const date = new Date(at)
  const time = date.toLocaleTimeString('en-GB')
  const isToday = date.toDateString() === new Date(now).toDateString()
  return isToday ? time : `${isoDate(date)} ${time.slice(0, 5)}`
}

const isoDate = (date: Date): string => date.toLocaleDateString('sv')

/** An identifier in words: `cache_hit_ratio` is Cache hit ratio. */
export function words(name: string): string {
  const text = name
    .replace(/[_.]/g, ' ')
    .replace(/\b(?:xid|fk|rpo|wal|tps|io)\b/g, (it) => it.toUpperCase())
    .replace(/\bpostgresql\b/g, 'PostgreSQL')
  return text.charAt(0).toUpperCase() + text.slice(1)
}

const say = {
  ratio: percent,
  seconds,
  ms: duration,
  bytes,
  hours: (value: number) => seconds(value * 3_600),
  days: (value: number) => seconds(value * 86_400),
  times: (value: number) => `${count(value)}×`,
}

const UNITS: Readonly<Record<string, keyof typeof say>> = {
  redis_memory: 'ratio',
  redis_hit_ratio: 'ratio',
  connections_used: 'ratio',
  rollback_ratio: 'ratio',
  cache_hit_ratio: 'ratio',
  dead_rows: 'ratio',
  stale_statistics: 'ratio',
  table_bloat: 'ratio',
  index_bloat: 'ratio',
  xid_wraparound: 'ratio',
  sequence_exhaustion: 'ratio',
  disk_used: 'ratio',
  process_memory: 'ratio',
  blocking: 'seconds',
  idle_in_transaction: 'seconds',
  long_transaction: 'seconds',
  prepared_transaction: 'seconds',
  replication_lag: 'seconds',
  pool_exhausted: 'seconds',
  backup_rpo: 'seconds',
  backup_overdue: 'hours',
  backup_unverified: 'days',
  slow_queries: 'ms',
  event_loop_lag: 'ms',
  own_overhead: 'ms',
  replication_slot_wal: 'bytes',
  audit_growth: 'bytes',
  query_regression: 'times',
}

/** A check's figure, with its unit. */
export function figure(check: string, value: Figure): string {
  if (value === null || value === undefined) return NONE
  if (typeof value === 'boolean') return value ? 'well' : 'not well'
  if (typeof value === 'string') return value
  const unit = UNITS[check]
  return unit ? say[unit](value) : count(value)
}

const LOWER_IS_WORSE = new Set(['cache_hit_ratio', 'redis_hit_ratio'])

/** What a check's figure has to be, to be well. */
export function bound(check: string, threshold: Figure): string {
  if (typeof threshold !== 'number') return figure(check, threshold)
  return `${LOWER_IS_WORSE.has(check) ? '≥' : '<'} ${figure(check, threshold)}`
}

/** A value of any kind as one line of text. */
export const plain = (value: unknown): string =>
  typeof value === 'string' ? value : value === null ? NONE : JSON.stringify(value)
