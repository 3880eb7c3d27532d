import { z } from 'zod'
import { declare, event } from '../../kernel/declare.js'
import { refs } from '../../lib/refs.js'

/** What long operations declare. */
export const jobs = declare({
  settings: {
    CATALYST_JOB_WAIT_SECONDS: z.coerce
      .number()
      .min(0)
      .max(45)
      .default(20)
      .describe('A call of a long operation that is not done by then answers with its job_id.'),
  },
  events: {
    'job.finished': event(
      'info',
      'A long operation succeeded, failed or was cancelled.',
      z.object({
        job_id: z.string(),
        tool: z.string(),
        state: z.enum(['succeeded', 'failed', 'cancelled']),
        refs: refs(),
      }),
    ),
  },
})
