import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import { AppError } from '../../src/errors.js'
import { part } from '../../src/kernel/part.js'
import { jobToolFor } from '../../src/mcp/define.js'

const job = jobToolFor<null>()
const facts = {
  effect: 'read',
  idempotent: true,
  openWorld: false,
  output: z.object({ text: z.string() }),
  onRestart: 'resume',
} as const

const slowCompute = job({
  ...facts,
  name: 'slow_compute',
  title: 'Slow',
  description: 'Takes as many seconds as it is told.',
  input: z.object({ seconds: z.number().default(1), label: z.string().optional() }),
  run: async ({ seconds }, { signal }) => {
    await delay(seconds * 1_000, undefined, { signal })
    return { text: `computed for ${seconds} s` }
  },
})

const failingJob = job({
  ...facts,
  name: 'failing_job',
  title: 'Failing',
  description: 'Refuses after a second.',
  input: z.object({}),
  run: async (_, { signal }) => {
    await delay(1_000, undefined, { signal })
    throw new AppError('precondition_failed', 'The job failed.')
  },
})

const protocolErrorJob = job({
  ...facts,
  name: 'protocol_error_job',
  title: 'Broken',
  description: 'Fails in a way that nobody expected.',
  input: z.object({}),
  run: async () => {
    throw new Error('boom')
  },
})

/** The referee's tasks that ask nothing: they are jobs of the product. */
export const taskJobs = part({
  name: 'tasks',
  tools: { slowCompute, failingJob, protocolErrorJob },
  start: () => null,
})
