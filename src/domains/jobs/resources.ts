import { z } from 'zod'
import { resourceFor } from '../../mcp/define.js'
import { JobAnswer, JobId } from './schemas.js'
import type { JobService } from './service.js'

const resource = resourceFor<JobService>()

export const job = resource({
  path: 'jobs/{job_id}',
  title: 'One job',
  description:
    'State, progress, and result or error of a long operation that you started, until 7 days after its end. Subscribe to be told of its progress and its end.',
  input: z.object({ job_id: JobId }),
  output: JobAnswer,
  refreshedBy: ['job.finished'],
  read: ({ job_id }, { service, principal }) => service.get(job_id, principal),
})
