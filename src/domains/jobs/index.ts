import { part } from '../../kernel/part.js'
import * as resources from './resources.js'
import { JobService } from './service.js'
import * as tools from './tools.js'

/** Long operations. */
export const jobs = part({
  name: 'jobs',
  tasks: 'follow or cancel an operation that takes long, by its job_id',
  tools,
  resources,
  start: (kernel) => {
    const { config, worker, served } = kernel
    const service = new JobService({
      ...kernel,
      connection: worker,
      waitMs: config.CATALYST_JOB_WAIT_SECONDS * 1_000,
      tools: () => served().jobTools,
      changed: (jobId) => kernel.changed(`jobs/${jobId}`),
    })
    service.listen(kernel.eventLog)
    // Who waits for a job is let go before the calls are waited for.
    kernel.onDrain(() => service.close())
    kernel.onClose(() => service.close())
    return service
  },
})
