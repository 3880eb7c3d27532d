import { z } from 'zod'
import { identifier } from '../../lib/schemas.js'

/** The handle of a job. */
export const JobId = identifier(64).describe('Of an answer that was still running.')

/** What a job is and became. */
export const JobAnswer = z.object({
  job_id: z.string(),
  tool: z.string(),
  state: z.enum(['queued', 'running', 'succeeded', 'failed', 'cancelled']),
  progress: z.object({ done: z.number(), total: z.number(), message: z.string() }).nullable(),
  result: z.looseObject({}).nullable(),
  error: z
    .object({
      code: z.string(),
      message: z.string(),
      hint: z.string().nullable(),
      retryable: z.boolean(),
      reference: z.string(),
    })
    .nullable(),
  created_at: z.string(),
  updated_at: z.string(),
  started_at: z.string().nullable(),
  finished_at: z.string().nullable(),
})
