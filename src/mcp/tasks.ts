import {
  type CallToolResult,
  CLIENT_CAPABILITIES_META_KEY,
  MissingRequiredClientCapabilityError,
  ProtocolError,
  ProtocolErrorCode,
  type Server,
  type ServerContext,
} from '@modelcontextprotocol/server'
import { z } from 'zod'
import { AppError, ERROR_CODES, recallError, toErrorBody } from '../errors.js'
import type { Job, JobState } from '../lib/job.js'
import type { Jobs } from './define.js'
import type { Outcome } from './dispatcher.js'
import { toToolResult } from './tool-result.js'

const EXTENSION = 'io.modelcontextprotocol/tasks'
/** https://modelcontextprotocol.io/specification/2026-07-28: headers and body must agree. */
const HEADER_MISMATCH = -32020
/** From its creation; a job is kept for so long after its end, which is longer. */
const TTL_MS = 7 * 24 * 60 * 60 * 1_000
const POLL_INTERVAL_MS = 1_000

/** Made once: a server is made for every request. */
const TASK_SCHEMAS = { params: z.looseObject({ taskId: z.string() }), result: z.looseObject({}) }

const STATUS: Readonly<Record<JobState, string>> = {
  queued: 'working',
  running: 'working',
  succeeded: 'completed',
  failed: 'completed',
  cancelled: 'cancelled',
}

/** What a server that has tasks says of itself. */
export const TASKS_CAPABILITY = { extensions: { [EXTENSION]: {} } }

/** Whether the client of this request takes a task as the answer of a call. */
export const takesTasks = ({ mcpReq }: ServerContext): boolean =>
  Object(Object(mcpReq.envelope)[CLIENT_CAPABILITIES_META_KEY]).extensions?.[EXTENSION] !==
  undefined

/** A job that has been started, as the answer of the call: a task under the job's own id. */
export const toTaskResult = (job: Job): CallToolResult =>
  ({ resultType: 'task', ...describe(job), status: 'working' }) as unknown as CallToolResult

/** Serves `tasks/*`: another view of the jobs that `get_job` and `cancel_job` show. */
export function serveTasks(
  server: Server,
  jobs: Jobs,
  principal: string,
  cancel: (taskId: string, ctx: ServerContext) => Promise<Outcome>,
): void {
  const serve = (
    method: string,
    answer: (taskId: string, ctx: ServerContext) => Promise<Record<string, unknown>>,
  ): void => {
    server.setRequestHandler(method, TASK_SCHEMAS, async ({ taskId }, ctx) => {
      refuseUnlessAgreed(taskId, ctx)
      return { resultType: 'complete', ...(await known(answer(taskId, ctx))) }
    })
  }
  serve('tasks/get', async (taskId) => detail(await jobs.get(taskId, principal)))
  serve('tasks/cancel', async (taskId, ctx) => {
    const outcome = await cancel(taskId, ctx)
    if (!outcome.ok) throw recallError(outcome.error)
    return {}
  })
  // Our jobs ask nothing while they run, so there is nothing an update could answer.
  serve('tasks/update', async (taskId) => {
    await jobs.get(taskId, principal)
    return {}
  })
}

function refuseUnlessAgreed(taskId: string, ctx: ServerContext): void {
  if (!takesTasks(ctx)) {
    throw new MissingRequiredClientCapabilityError({ requiredCapabilities: TASKS_CAPABILITY })
  }
  const request = ctx.http?.req
  if (request && request.headers.get('mcp-name') !== taskId) {
    throw new ProtocolError(HEADER_MISMATCH, 'The Mcp-Name header is not the taskId')
  }
}

async function known<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    const isUnknown = error.code === 'not_found'
    const code = isUnknown ? ProtocolErrorCode.InvalidParams : ERROR_CODES[error.code].jsonRpc
    throw new ProtocolError(code, isUnknown ? 'Unknown task' : error.message)
  }
}

const describe = ({ job_id, created_at, updated_at, state, progress }: Job) => ({
  taskId: job_id,
  status: STATUS[state],
  createdAt: created_at,
  lastUpdatedAt: updated_at,
  ttlMs: TTL_MS,
  pollIntervalMs: POLL_INTERVAL_MS,
  ...(progress ? { statusMessage: progress.message } : {}),
})

/**
 * With what the job became. A failure that a tool reports is an answer like any other; only what
 * JSON-RPC itself calls an error, an unexpected one, makes the task fail.
 */
function detail(job: Job): Record<string, unknown> {
  const { state, result, error } = job
  if (state === 'succeeded') {
    return { ...describe(job), result: toToolResult({ ok: true, data: result }, 'modern') }
  }
  if (state !== 'failed' || !error) return describe(job)
  const body = toErrorBody(recallError(error), error.reference)
  if (body.code !== 'internal_error') {
    return { ...describe(job), result: toToolResult({ ok: false, error: body }, 'modern') }
  }
  const code = ERROR_CODES[body.code].jsonRpc
  return { ...describe(job), status: 'failed', error: { code, message: body.message, data: body } }
}
