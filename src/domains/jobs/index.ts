import { part } from '../../kernel/part.js'
import * as resources from './resources.js'
import { JobService } from './service.js'
import * as tools from './tools.js'

/** Long operations. */
export const jobs = part({
  name: 'jobs',
  tools,
  resources,
  start: ({
    config,
    database,
    worker,
    serverId,
    log,
    eventLog,
    served,
    changed,
    loops,
    ...kernel
  }) => {
    const service = new JobService({
      database,
      connection: worker,
      serverId,
      loops,
      log,
      waitMs: config.CATALYST_JOB_WAIT_SECONDS * 1_000,
      tools: () => served().jobTools,
      changed: (jobId) => changed(`jobs/${jobId}`),
    })
    service.listen(eventLog)
    // Who waits for a job is let go before the calls are waited for.
    kernel.onDrain(() => service.close())
    kernel.onClose(() => service.close())
    return service
  },
})
