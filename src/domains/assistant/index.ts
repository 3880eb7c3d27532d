import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { AppError, abortError, recallError, toErrorBody } from '../../errors.js'
import { type Kernel, part } from '../../kernel/part.js'
import { isFinal } from '../../lib/job.js'
import { ASSISTANT } from '../../lib/maintenance-actions.js'
import { EVERYTHING } from '../../lib/scope.js'
import { jobs } from '../jobs/index.js'
import { Backends } from './backends.js'
import type { Actor, Answer, Hands } from './hands.js'
import * as prompts from './prompts.js'
import * as resources from './resources.js'
import { Schedule } from './schedule.js'
import { AssistantService } from './service.js'
import * as tools from './tools.js'

const JOB_LOOK_MS = 25_000
const REST_MS = 200
/** A job that was cancelled has ended by then, or is left to whoever runs it. */
const LAST_LOOKS = 25

/** Looks after the database, within what the policy allows. */
export const assistant = part({
  name: 'assistant',
  tasks:
    'daily maintenance check and report, approve or deny what is recommended, cancel a blocker',
  tools,
  resources,
  prompts,
  start: (kernel) => {
    const { config, database, clock, loops, eventLog } = kernel
    const policy = config.policy.assistant
    const schedule = new Schedule(policy, clock)
    const hands = handsOf(kernel)
    const service = new AssistantService({
      ...kernel,
      hands,
      policy,
      backends: new Backends({ database }),
      nextRun: () => schedule.nextRun,
    })
    eventLog.subscribe((published) => {
      schedule.happened(published)
      loop.wake()
    })
    const timing = { everyMs: () => schedule.restMs, retry: { firstMs: 5_000, maxMs: 60_000 } }
    const loop = loops.every('the assistant', timing, async (signal) => {
      const due = schedule.take()
      if (!due) return
      await service.begin(due.key, signal).catch((error: unknown) => {
        // The round is a job by now, or the next one is near: what is slow is told by monitoring.
        if (error instanceof AppError && error.code === 'timeout') return
        throw error
      })
    })
    kernel.onDrain(() => service.close())
    kernel.onClose(() => service.close())
    return service
  },
})

/** Everything goes through the one way in: checked, confirmed, audited, as when a client calls. */
function handsOf(kernel: Kernel): Hands {
  const originOf = (as: Actor) => ({ ...as, progress: () => {}, reply: null })
  const finish = async (jobId: string, as: Actor): Promise<Answer> => {
    const about = { ...originOf(as), requestId: randomUUID(), record: null, confirmedPlan: null }
    let isCancelled = false
    for (let looks = 0; !isCancelled || looks < LAST_LOOKS; looks++) {
      if (as.signal.aborted && !isCancelled) {
        isCancelled = true
        looks = 0
        await kernel.the(jobs).cancel(jobId, as.principal)
      }
      // Who waits for a job and is called away goes on to see what became of it.
      const signal = isCancelled ? new AbortController().signal : as.signal
      const waitMs = isCancelled ? 0 : JOB_LOOK_MS
      const job = await kernel
        .the(jobs)
        .getWhenDone(jobId, { ...about, signal }, waitMs)
        .catch((error: unknown) => {
          if (as.signal.aborted) return null
          throw error
        })
      if (job?.error) return { ok: false, error: toErrorBody(recallError(job.error), jobId) }
      if (job && isFinal(job)) return { ok: true, data: job.result }
      await delay(REST_MS)
    }
    return { ok: false, error: toErrorBody(abortError(as.signal), jobId) }
  }
  return {
    read: async (path, signal) => {
      const as = { principal: ASSISTANT, owner: ASSISTANT, scope: EVERYTHING, signal }
      const outcome = await kernel.door().readResource(path, originOf(as))
      return outcome.ok
        ? { known: true, value: outcome.data }
        : { known: false, reason: outcome.error.message }
    },
    question: async ({ tool: name, arguments: args }, as) => {
      const tool = kernel.served().tool(name, as.scope)
      const caller = { ...originOf(as), requestId: randomUUID(), record: null, confirmedPlan: null }
      return (await tool?.confirm?.(tool.input.parse(args), caller)) ?? null
    },
    call: async ({ tool: name, arguments: args, key, agreedPlan = null }, as, wait) => {
      const tool = kernel.served().tool(name, as.scope)
      if (!tool) return { ok: false, error: notServed(name) }
      const isKeyed = tool.onRestart !== null || tool.persists
      const given = isKeyed ? { ...args, idempotency_key: key } : args
      const outcome = await kernel.door().callTool(tool, given, { ...originOf(as), agreedPlan })
      const { status, job_id } = Object(outcome.ok ? outcome.data : null)
      return wait && status === 'running' ? finish(String(job_id), as) : outcome
    },
  }
}

const notServed = (name: string) => ({
  code: 'not_supported' as const,
  message: `The tool ${name} is not served here.`,
  hint: 'CATALYST_TOOLSETS and CATALYST_READ_ONLY say what is.',
  retryable: false,
  reference: '',
})
