import { z } from 'zod'
import { toolFor } from '../../mcp/define.js'
import { JobAnswer, JobId } from './schemas.js'
import type { JobService } from './service.js'

const tool = toolFor<JobService>()

export const getJob = tool({
  name: 'get_job',
  title: 'Get a job',
  description:
    'Reads a long operation that answered with status "running" and a job_id: its state, its progress, and its result or error once it has ended. With wait_ms it waits for the end. Changes nothing. The same is at catalyst://jobs/{job_id}, to subscribe to.',
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
    'Asks a long operation to stop, on whichever server it runs. Nothing else stops one: neither a cancelled request nor a lost connection. Answers the job a moment later; while its state is "running", use get_job. One that has ended stays as it is.',
  effect: 'write',
  idempotent: true,
  openWorld: true,
  input: z.object({ job_id: JobId }),
  output: JobAnswer,
  run: ({ job_id }, { service, ...caller }) => service.cancelAndWait(job_id, caller),
})
