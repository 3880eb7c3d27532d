import { z } from 'zod'
import { toolFor } from '../../mcp/define.js'
import { JobAnswer, JobId } from './schemas.js'
import type { JobService } from './service.js'

const tool = toolFor<JobService>()

export const getJob = tool({
  name: 'get_job',
  title: 'Get a job',
  description:
    'Reads a long operation that answered status running and a job_id: its state, progress, result or error. wait_ms waits for its end. To subscribe to it: catalyst://jobs/{job_id}.',
  effect: 'read',
  idempotent: true,
  openWorld: true,
  input: z.object({
    job_id: JobId,
    wait_ms: z.int().min(0).max(25_000).default(0).describe('Longest wait.'),
  }),
  output: JobAnswer,
  run: ({ job_id, wait_ms }, { service, ...caller }) =>
    service.getWhenDone(job_id, caller, wait_ms),
})

export const cancelJob = tool({
  name: 'cancel_job',
  title: 'Cancel a job',
  description:
    'Stops a long operation, on whichever server it runs; neither a cancelled request nor a lost connection does. Answers the job a moment later; while its state is running, use get_job.',
  effect: 'write',
  grant: 'db:read',
  idempotent: true,
  openWorld: true,
  input: z.object({ job_id: JobId }),
  output: JobAnswer,
  run: ({ job_id }, { service, ...caller }) => service.cancelAndWait(job_id, caller),
})
