import type { Caller } from './caller.js'

/** Where a job stands. The last three are final. */
export type JobState = 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled'

/** What becomes of a job whose server died: it is run again from its start, or it has failed. */
export type OnRestart = 'resume' | 'fail'

/** Jobs of one lane never take the place of jobs of the other: `interactive` are those people wait for. */
export type JobLane = 'bulk' | 'interactive'

/** How far a job is. */
export interface JobProgress {
  readonly done: number
  readonly total: number
  readonly message: string
}

/** Why a job did not succeed, as it was stored: perhaps by another version of the server. */
export interface JobFailure {
  readonly code: string
  readonly message: string
  readonly hint: string | null
  readonly retryable: boolean
  readonly reference: string
}

/** One call of a job tool, its arguments checked. */
export interface JobRequest {
  readonly tool: string
  /** As the client sent them: whichever server runs the job checks them again. */
  readonly arguments: Readonly<Record<string, unknown>>
  readonly idempotencyKey: string | null
  readonly onRestart: OnRestart
  /** Digest of the plan that was confirmed for it; null when nothing had to be. */
  readonly confirmedPlan: string | null
}

/** A job tool as the server that runs its jobs needs it. */
export interface ServedJobTool {
  readonly lane: JobLane
  /** The arguments are as a client sent them. */
  readonly run: (args: unknown, caller: Caller) => Promise<unknown>
}

/** A job as the one who started it sees it. */
export interface Job {
  readonly job_id: string
  readonly tool: string
  readonly state: JobState
  readonly progress: JobProgress | null
  readonly result: Record<string, unknown> | null
  readonly error: JobFailure | null
  readonly created_at: string
  readonly updated_at: string
  readonly started_at: string | null
  readonly finished_at: string | null
}

/** True once nothing about the job will change any more. */
export const isFinal = ({ state }: Pick<Job, 'state'>): boolean =>
  state !== 'queued' && state !== 'running'
