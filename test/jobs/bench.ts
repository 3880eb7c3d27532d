import { once } from 'node:events'
import { z } from 'zod'
import { AppError } from '../../src/errors.js'
import { type Part, part } from '../../src/kernel/part.js'
import type { Caller } from '../../src/lib/caller.js'
import { jobToolFor } from '../../src/mcp/define.js'

/** What the jobs of the tests do: they hold on until the test lets them go. */
export class Bench {
  /** The labels of all runs, in the order of their starts. */
  readonly started: string[] = []
  /** Why runs were told to stop, by label. */
  readonly stopped = new Map<string, unknown>()
  readonly #running = new Map<string, Pick<Caller, 'progress'>>()
  readonly #gates = new EventTarget()
  readonly #open = new Set<string>()
  /** True once two runs of one label were under way at the same time. */
  hasOverlapped = false

  /** How often a job of this label was started. */
  startsOf(label: string): number {
    return this.started.filter((one) => one === label).length
  }

  isRunning(label: string): boolean {
    return this.#running.has(label)
  }

  /** Lets the runs of this label go, also future ones. */
  open(label: string): void {
    this.#open.add(label)
    this.#gates.dispatchEvent(new Event(label))
  }

  /** Makes the run of this label say how far it is. */
  say(label: string, done: number, total: number, message: string): void {
    this.#running.get(label)?.progress(done, total, message)
  }

  async hold(label: string, { signal, progress }: Pick<Caller, 'signal' | 'progress'>) {
    this.started.push(label)
    if (this.#running.has(label)) this.hasOverlapped = true
    this.#running.set(label, { progress })
    try {
      if (!this.#open.has(label)) await once(this.#gates, label, { signal })
      return { label, starts: this.startsOf(label) }
    } catch (error) {
      this.stopped.set(label, signal.reason)
      throw error
    } finally {
      this.#running.delete(label)
    }
  }
}

const job = jobToolFor<Bench>()
const facts = { effect: 'write', idempotent: false, openWorld: false } as const
const labelled = z.object({ label: z.string() })
const held = z.object({ label: z.string(), starts: z.int() })

const runHeld = job({
  ...facts,
  name: 'run_held',
  title: 'Held',
  description: 'Runs until it is let go; starts over when its server dies.',
  input: labelled,
  output: held,
  onRestart: 'resume',
  run: ({ label }, { service, signal, progress }) => service.hold(label, { signal, progress }),
})

const runOnce = job({
  ...facts,
  name: 'run_once',
  title: 'Once',
  description: 'Runs until it is let go; fails when its server dies.',
  input: labelled,
  output: held,
  onRestart: 'fail',
  run: ({ label }, { service, signal, progress }) => service.hold(label, { signal, progress }),
})

const runRefused = job({
  ...facts,
  name: 'run_refused',
  title: 'Refused',
  description: 'Fails, as expected or not.',
  input: z.object({ expected: z.boolean() }),
  output: z.object({ done: z.boolean() }),
  onRestart: 'fail',
  run: async ({ expected }) => {
    if (!expected) throw new Error('a secret of the driver')
    throw new AppError('precondition_failed', 'Not today.', { hint: 'Try tomorrow.' })
  },
})

/** The bench as a part of a test server. */
export const benchPart = (bench: Bench): Part<Bench> =>
  part({ name: 'bench', tools: { runHeld, runOnce, runRefused }, start: () => bench })

/** Another version's part: it has job tools, but not those of the bench. */
export const otherPart = (bench: Bench): Part<Bench> =>
  part({
    name: 'other',
    tools: { runElsewhere: { ...runHeld, name: 'run_other' } },
    start: () => bench,
  })
