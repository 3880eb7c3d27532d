import type { JobLane, ServedJobTool } from '../../lib/job.js'
import { Loop } from '../../lib/loop.js'
import type { SharedOutage } from '../../lib/shared-outage.js'
import type { WorkerConnection } from '../../platform/postgres/worker-connection.js'
import * as statements from './sql.js'

interface JobQueueDeps {
  readonly connection: WorkerConnection
  readonly serverId: string
  readonly outage: SharedOutage
  /** The job tools that are served here: what another version announced is left to it. */
  readonly tools: () => ReadonlyMap<string, ServedJobTool>
  /** Whether there is room for one more job of that lane. */
  readonly hasRoom: (lane: JobLane) => boolean
  /** Begins to run a job; `asked` is when its lease was asked for, on the monotonic clock. */
  readonly begin: (job: statements.ClaimedJob, tool: ServedJobTool, asked: number) => void
}

const LANES: readonly JobLane[] = ['interactive', 'bulk']
/** At most so long until a job is found of which nothing was heard. */
const POLL_MS = 2_000

/** Takes over jobs that wait, while there is room for them: straight from their table, one at a time. */
export class JobQueue {
  readonly #deps: JobQueueDeps
  readonly #loop: Loop

  constructor(deps: JobQueueDeps) {
    this.#deps = deps
    this.#loop = new Loop({
      // With jitter, so that no server always looks just before another one.
      everyMs: () => POLL_MS * (0.5 + Math.random() / 2),
      retry: { firstMs: 100, maxMs: 5_000 },
      outage: deps.outage.of('the job queue'),
      work: async () => {
        for (const lane of LANES) await this.#fill(lane)
      },
    })
  }

  /** Why nothing could be taken over at the last attempt; null when that went well. */
  get trouble(): unknown {
    return this.#loop.trouble
  }

  /** Begins in the background; while the database is away it keeps trying. */
  start(): void {
    this.#loop.start()
  }

  /** Takes nothing more; what waits stays there for others. */
  async stop(): Promise<void> {
    await this.#loop.stop()
  }

  /** Looks at once instead of at the next poll. */
  poke(): void {
    this.#loop.wake()
  }

  async #fill(lane: JobLane): Promise<void> {
    const { connection, serverId, tools, hasRoom, begin } = this.#deps
    const served = [...tools()].filter(([, tool]) => tool.lane === lane)
    const names = served.map(([name]) => name)
    while (names.length > 0 && hasRoom(lane) && !this.#loop.isStopped) {
      const asked = performance.now()
      const [job] = await connection.many(statements.claimJob(names, serverId))
      const tool = job && tools().get(job.tool)
      if (!tool) return
      begin(job, tool, asked)
    }
  }
}
