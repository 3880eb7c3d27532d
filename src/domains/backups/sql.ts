import { type Statement, sql } from '../../platform/postgres/sql.js'
import type { BackupType } from './archive/keys.js'

/** One backup as clients see it. */
export interface BackupRow {
  readonly backup_id: string
  readonly type: BackupType
  readonly status: 'running' | 'completed' | 'failed' | 'retained'
  readonly timestamp: string
  readonly size_bytes: number | null
  readonly location: string
  readonly base_backup: string | null
  readonly encrypted: boolean
  readonly covered_until: string | null
  readonly verified_at: string | null
  readonly verified_level: 'quick' | 'content' | 'restore' | null
  readonly verified_valid: boolean | null
  readonly restore_ms: number | null
  readonly duration_ms: number | null
  readonly error: { readonly code: string; readonly message: string } | null
}

const BACKUP = sql.trusted(`
  backup_id, type, status, started_at as timestamp, size_bytes, location, base_backup, encrypted, covered_until,
  verified_at, verified_level, verified_valid, restore_ms,
  (extract(epoch from finished_at - started_at) * 1000)::int8 as duration_ms, error`) as Statement<BackupRow>

/** The server's clock. */
export const clock = () => sql<{ now: string }>`select clock_timestamp() as now`

export const insertRunning = (backup: {
  readonly backupId: string
  readonly type: BackupType
  readonly reason: string | null
  readonly location: string
  readonly baseBackup: string | null
  readonly encrypted: boolean
  readonly serverId: string
}) => sql`
  insert into catalyst.backups (backup_id, type, status, reason, location, base_backup, encrypted, server_id)
  values (
    ${backup.backupId}::text, ${backup.type}::text, 'running', ${backup.reason}::text, ${backup.location}::text,
    ${backup.baseBackup}::text, ${backup.encrypted}::boolean, ${backup.serverId}::text
  )`

export const markCompleted = (
  backupId: string,
  done: { readonly sizeBytes: number; readonly coveredUntil: string | null },
) => sql<{ duration_ms: number }>`
  update catalyst.backups
  set status = 'completed',
    finished_at = clock_timestamp(),
    size_bytes = ${done.sizeBytes}::int8,
    covered_until = ${done.coveredUntil}::timestamptz
  where backup_id = ${backupId}::text
  returning (extract(epoch from finished_at - started_at) * 1000)::int8 as duration_ms`

export const markFailed = (
  backupId: string,
  error: { readonly code: string; readonly message: string },
) => sql`
  update catalyst.backups
  set status = 'failed',
    finished_at = clock_timestamp(),
    error = ${JSON.stringify(error)}::jsonb
  where backup_id = ${backupId}::text
    and status = 'running'`

/** What was running when its server died. To be called by who holds the lock of backups: nothing runs. */
export const markInterrupted = () => sql<{ backup_id: string; type: BackupType }>`
  update catalyst.backups
  set status = 'failed',
    finished_at = clock_timestamp(),
    error = '{"code": "internal_error", "message": "The server that took it ended before it was whole."}'
  where status = 'running'
  returning backup_id, type`

export const selectRunning = () => sql<{ backup_id: string }>`
  select backup_id
  from catalyst.backups
  where status = 'running'
  order by started_at desc
  limit 1`

/** The newest of each kind that is whole. */
export const selectLatest = () => sql<BackupRow>`
  select distinct on (type) ${BACKUP}
  from catalyst.backups
  where status in ('completed', 'retained')
  order by type, started_at desc, backup_id desc`

/** What was verified last, and what was restored last to prove it. */
export const selectVerified = () => sql<BackupRow & { is_drill: boolean }>`
  select distinct on (is_drill) ${BACKUP}, verified_level = 'restore' as is_drill
  from catalyst.backups
  where verified_at is not null
  order by is_drill, verified_at desc`

/** When backups of a kind were tried last. */
export const selectTries = () => sql<{ type: BackupType; at: string; failures: number }>`
  select
    type,
    max(started_at) as at,
    count(*) filter (where status = 'failed' and started_at > coalesce(good.at, '-infinity'))::int as failures
  from catalyst.backups
  left join (
    select type, max(started_at) as at
    from catalyst.backups
    where status in ('completed', 'retained')
    group by type
  ) as good using (type)
  group by type`

export const selectHistory = (query: {
  readonly type: BackupType | null
  readonly days: number | null
  readonly after: readonly [string, string] | null
  readonly limit: number
}) => sql<BackupRow>`
  select ${BACKUP}
  from catalyst.backups
  where (${query.type}::text is null or type = ${query.type}::text)
    and (${query.days}::float8 is null or started_at >= now() - ${query.days}::float8 * interval '1 day')
    and (
      ${query.after === null}::boolean
      or (started_at, backup_id) < (${query.after?.[0] ?? null}::timestamptz, ${query.after?.[1] ?? null}::text)
    )
  order by started_at desc, backup_id desc
  limit ${query.limit + 1}::int`

/** Ids that the table has; what the store has besides was taken where this table was not. */
export const selectIds = () => sql<{ backup_id: string; status: string }>`
  select backup_id, status
  from catalyst.backups`

/** Adds what the store has. */
export const insertFound = (backup: {
  readonly backupId: string
  readonly type: BackupType
  readonly location: string
  readonly baseBackup: string | null
  readonly encrypted: boolean
  readonly startedAt: string
  readonly finishedAt: string
  readonly sizeBytes: number
  readonly coveredUntil: string | null
}) => sql`
  insert into catalyst.backups (
    backup_id, type, status, location, base_backup, encrypted, started_at, finished_at, size_bytes, covered_until
  )
  values (
    ${backup.backupId}::text, ${backup.type}::text, 'completed', ${backup.location}::text, ${backup.baseBackup}::text,
    ${backup.encrypted}::boolean, ${backup.startedAt}::timestamptz, ${backup.finishedAt}::timestamptz,
    ${backup.sizeBytes}::int8, ${backup.coveredUntil}::timestamptz
  )
  on conflict (backup_id) do update set
    status = 'completed',
    finished_at = excluded.finished_at,
    size_bytes = excluded.size_bytes,
    covered_until = excluded.covered_until,
    error = null`

/** When the first backup was whole. */
export const selectFirst = () => sql<{ at: string }>`
  select finished_at as at
  from catalyst.backups
  where status in ('completed', 'retained')
  order by started_at
  limit 1`

export const markVerified = (
  backupId: string,
  verified: {
    readonly level: 'quick' | 'content' | 'restore'
    readonly valid: boolean
    readonly at: string
    readonly restoreMs: number | null
  },
) => sql`
  update catalyst.backups
  set verified_at = ${verified.at}::timestamptz,
    verified_level = ${verified.level}::text,
    verified_valid = ${verified.valid}::boolean,
    restore_ms = coalesce(${verified.restoreMs}::int8, restore_ms)
  where backup_id = ${backupId}::text`

/** Where a backup that was whole is kept. */
export const selectLocation = (backupId: string) => sql<{ location: string; now: string }>`
  select location, now() as now
  from catalyst.backups
  where backup_id = ${backupId}::text
    and status = 'completed'`
