import type { ErrorBody } from '../../errors.js'
import type { Caller } from '../../lib/caller.js'
import type { Job, JobProgress, JobRequest, JobState, OnRestart } from '../../lib/job.js'
import { machinerySql as sql } from '../../platform/postgres/sql.js'

/** Where servers say that a job is another one now; the payload is its id. */
export const CHANGED = 'catalyst_jobs_changed'
/** Where servers say that a job is to stop; the payload is its id. */
export const CANCELLED = 'catalyst_jobs_cancelled'
/** Where servers say that a job waits; the payload is its id. */
export const WAITING = 'catalyst_jobs_waiting'

/** A job that this server has taken over. */
export interface ClaimedJob {
  readonly job_id: string
  readonly tool: string
  readonly principal: string
  readonly owner: string | null
  readonly arguments: Record<string, unknown>
  readonly on_restart: OnRestart
  readonly attempt: number
  readonly confirmed_plan: string | null
}

/** Who runs a job: whoever is not the holder any more may write nothing about it. */
export interface LeaseHolder {
  readonly jobId: string
  readonly attempt: number
  readonly serverId: string
}

/** What is written when a run is over: `queued` hands it on to the next server. */
export interface Ending {
  readonly state: Exclude<JobState, 'running'>
  readonly progress: JobProgress | null
  readonly result: Record<string, unknown> | null
  readonly error: ErrorBody | null
}

/** A job that runs, as the watch over dead servers sees it. */
export interface RunningJob {
  readonly job_id: string
  readonly attempt: number
  readonly heartbeat_at: string
}

const columns = sql.trusted(`
  job_id, tool, state, progress, result, error, created_at, started_at, finished_at,
  coalesce(finished_at, heartbeat_at, started_at, created_at) as updated_at`)

const heldBy = ({ jobId, attempt, serverId }: LeaseHolder) => sql`
  job_id = ${jobId}::text
    and attempt = ${attempt}::int
    and server_id = ${serverId}::text
    and state = 'running'`

/** A new job. */
export const insertJob = (
  jobId: string,
  request: JobRequest,
  digest: Buffer,
  { principal, owner, requestId }: Pick<Caller, 'principal' | 'owner' | 'requestId'>,
) => sql<Job>`
  insert into catalyst.jobs
    (job_id, tool, principal, owner, request_id, arguments, arguments_sha256,
     on_restart, confirmed_plan)
  values (
    ${jobId}::text,
    ${request.tool}::text,
    ${principal}::text,
    ${owner}::text,
    ${requestId}::text,
    ${JSON.stringify(request.arguments)}::jsonb,
    ${digest}::bytea,
    ${request.onRestart}::text,
    ${request.confirmedPlan}::text
  )
  returning ${columns}`

/** A job of this principal. */
export const findJob = (jobId: string, principal: string) => sql<Job>`
  select ${columns}
  from catalyst.jobs
  where job_id = ${jobId}::text
    and principal = ${principal}::text`

/** Asks a job to stop; one that nobody runs is cancelled by this alone. */
export const cancelJob = (jobId: string, principal: string, error: ErrorBody) => sql<Job>`
  update catalyst.jobs
  set
    cancel_requested = true,
    state = case when state = 'queued' then 'cancelled' else state end,
    error = case when state = 'queued' then ${JSON.stringify(error)}::jsonb end,
    finished_at = case when state = 'queued' then clock_timestamp() end
  where job_id = ${jobId}::text
    and principal = ${principal}::text
    and state in ('queued', 'running')
  returning ${columns}`

/** Tells every server to look at a job. */
export const notify = (channel: string, jobId: string) => sql<{ notified: null }>`
  select pg_notify(${channel}::text, ${jobId}::text) as notified`

/**
 * Takes over a waiting job of these tools: one of the caller with the fewest running jobs, and of
 * those the oldest. What another server takes at the same moment is passed over.
 */
export const claimJob = (tools: readonly string[], serverId: string) =>
  sql<ClaimedJob>`
    with running as (
      select coalesce(owner, principal) as caller, count(*) as jobs
      from catalyst.jobs
      where state = 'running'
      group by caller
    ),
    next as materialized (
      select waiting.job_id
      from catalyst.jobs as waiting
      left join running on running.caller = coalesce(waiting.owner, waiting.principal)
      where waiting.state = 'queued'
        and waiting.tool = any(${tools}::text[])
      order by coalesce(running.jobs, 0), waiting.created_at, waiting.job_id
      limit 1
      for update of waiting skip locked
    )
    update catalyst.jobs as job
    set
      state = 'running',
      attempt = attempt + 1,
      server_id = ${serverId}::text,
      progress = null,
      started_at = coalesce(started_at, clock_timestamp()),
      heartbeat_at = clock_timestamp()
    from next
    where job.job_id = next.job_id
    returning job.job_id, tool, principal, owner, arguments, on_restart, attempt, confirmed_plan`

/** Keeps this server's leases; answers those it still has. */
export const keepLeases = (serverId: string, jobIds: readonly string[]) =>
  sql<{ job_id: string; attempt: number; cancel_requested: boolean }>`
    update catalyst.jobs
    set heartbeat_at = clock_timestamp()
    where job_id = any(${jobIds}::text[])
      and server_id = ${serverId}::text
      and state = 'running'
    returning job_id, attempt, cancel_requested`

/** Keeps the lease of one job with how far it is, and tells every server. */
export const storeProgress = (holder: LeaseHolder, progress: JobProgress) => sql`
  with stored as (
    update catalyst.jobs
    set progress = ${JSON.stringify(progress)}::jsonb, heartbeat_at = clock_timestamp()
    where ${heldBy(holder)}
    returning job_id
  )
  select pg_notify(${CHANGED}::text, job_id)
  from stored`

/** Ends the lease with what the run came to. */
export const endRun = (holder: LeaseHolder, { state, progress, result, error }: Ending) => sql`
  update catalyst.jobs
  set
    state = ${state}::text,
    progress = ${progress && JSON.stringify(progress)}::jsonb,
    result = ${result && JSON.stringify(result)}::jsonb,
    error = ${error && JSON.stringify(error)}::jsonb,
    finished_at = case when ${state}::text <> 'queued' then clock_timestamp() end
  where ${heldBy(holder)}`

/** The audit's entry of how a confirmed job ended; of any other job, none. */
export const auditConfirmed = (jobId: string) => sql`
  insert into catalyst.audit_outbox (entry)
  select jsonb_build_object(
    'at', to_char(finished_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    'server_id', coalesce(server_id, ''),
    'principal', principal,
    'request_id', request_id,
    'tool', tool,
    'arguments_sha256', encode(arguments_sha256, 'hex'),
    'outcome', 'job ' || state,
    'calls', 1,
    'duration_ms', round(1000 * extract(epoch from finished_at - created_at)::numeric, 3)::float8,
    'session_id', null,
    'transaction_id', pg_current_xact_id()::text,
    'confirmed_by', null,
    'plan', null
  )
  from catalyst.jobs
  where job_id = ${jobId}::text
    and confirmed_plan is not null`

/** What runs, on any server. */
export const runningJobs = () => sql<RunningJob>`
  select job_id, attempt, heartbeat_at
  from catalyst.jobs
  where state = 'running'`

/** Takes a job from a server that has died: it waits again, or has ended. */
export const reapJob = (
  { job_id, attempt, heartbeat_at }: RunningJob,
  maxCrashes: number,
  error: { readonly lost: ErrorBody; readonly cancelled: ErrorBody },
) => sql<{ job_id: string; tool: string; state: JobState }>`
  with fate as (
    select
      job_id,
      case
        when cancel_requested then 'cancelled'
        when on_restart = 'resume' and crashes + 1 < ${maxCrashes}::int then 'queued'
        else 'failed'
      end as state
    from catalyst.jobs
    where job_id = ${job_id}::text
      and state = 'running'
      and attempt = ${attempt}::int
      and heartbeat_at = ${heartbeat_at}::timestamptz
    for update skip locked
  )
  update catalyst.jobs as job
  set
    state = fate.state,
    crashes = job.crashes + 1,
    error = case fate.state
      when 'failed' then ${JSON.stringify(error.lost)}::jsonb
      when 'cancelled' then ${JSON.stringify(error.cancelled)}::jsonb
    end,
    finished_at = case when fate.state <> 'queued' then clock_timestamp() end
  from fate
  where job.job_id = fate.job_id
  returning job.job_id, job.tool, job.state`

/** Forgets jobs that ended long ago. */
export const forgetJobs = (days: number, limit: number) => sql`
  delete from catalyst.jobs
  where job_id in (
    select job_id
    from catalyst.jobs
    where finished_at < now() - make_interval(days => ${days}::int)
    limit ${limit}::int
  )`
