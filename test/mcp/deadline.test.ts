import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { z } from 'zod'
import type { AuditedCall } from '../../src/lib/call-record.js'
import { EVERYTHING } from '../../src/lib/scope.js'
import { bind, toolFor } from '../../src/mcp/define.js'
import { Dispatcher, type Origin } from '../../src/mcp/dispatcher.js'
import { Registry } from '../../src/mcp/registry.js'
import { createLog } from '../../src/platform/log.js'

const wait = toolFor<undefined>()({
  name: 'wait',
  title: 'Wait',
  description: 'Waits until it is stopped.',
  effect: 'read',
  idempotent: true,
  openWorld: false,
  input: z.object({}),
  output: z.object({}),
  run: (_, { signal }) =>
    new Promise((_, reject) => {
      if (signal.aborted) reject(signal.reason)
      signal.addEventListener('abort', () => reject(signal.reason))
    }),
})

const audited: AuditedCall[] = []
const unused = () => Promise.reject(new Error('this tool neither persists nor is a job'))
const registry = new Registry([bind({ name: 'test', tools: { wait } }, undefined)])
const dispatcher = new Dispatcher({
  registry,
  unitsOfWork: { run: unused },
  jobs: { call: unused, start: unused, get: unused, cancel: unused, find: unused },
  confirmations: { issue: unused, redeem: unused, revoke: unused },
  audit: { record: (call) => audited.push(call), count: (call) => audited.push(call) },
  explain: (error) => error,
  log: createLog('silent'),
})

const origin = (signal: AbortSignal): Origin => ({
  principal: 'local',
  owner: 'local',
  scope: EVERYTHING,
  signal,
  progress: () => {},
})

const call = (signal: AbortSignal) => {
  const tool = registry.tools.get('wait')
  if (!tool) throw new Error('the tool is not served')
  return dispatcher.callTool(tool, {}, origin(signal))
}

const DEADLINE_MS = 50_000

interface Timer {
  readonly ms: number | undefined
  readonly handle: unknown
}

let set: Timer[] = []
let cleared: unknown[] = []
let putBack = (): void => {}

/** Notes what is set and cleared. Spies would be restored once more before the next test, to timers that are no longer true. */
function watchTimers(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const { setTimeout: begin, clearTimeout: end } = globalThis
  const [timers, ended]: [Timer[], unknown[]] = [[], []]
  set = timers
  cleared = ended
  const beginNoted = (work: () => void, ms?: number) => {
    const handle = begin(work, ms)
    timers.push({ ms, handle })
    return handle
  }
  const endNoted = (handle?: NodeJS.Timeout) => {
    ended.push(handle)
    end(handle)
  }
  Object.assign(globalThis, { setTimeout: beginNoted, clearTimeout: endNoted })
  putBack = () => {
    Object.assign(globalThis, { setTimeout: begin, clearTimeout: end })
    vi.useRealTimers()
  }
}

/** The timers of deadlines that were set; what else runs in this process sets its own. */
const deadlines = () => set.filter(({ ms }) => ms === DEADLINE_MS).map(({ handle }) => handle)

function expectNoTimerLeft(): void {
  expect(deadlines()).toHaveLength(1)
  expect(cleared).toContain(deadlines()[0])
}

beforeEach(() => {
  watchTimers()
  audited.length = 0
})
afterEach(() => putBack())

test('a call is stopped at its deadline, says so, and leaves no timer', async () => {
  const answer = call(new AbortController().signal)
  await vi.advanceTimersByTimeAsync(DEADLINE_MS - 1)
  expect(audited).toEqual([])
  await vi.advanceTimersByTimeAsync(1)
  expect(await answer).toMatchObject({ ok: false, error: { code: 'timeout' } })
  expect(audited).toMatchObject([{ tool: 'wait', outcome: 'timeout' }])
  expectNoTimerLeft()
})

test.each(['before', 'while'])('a caller that goes away %s it runs stops it', async (when) => {
  const caller = new AbortController()
  if (when === 'before') caller.abort()
  const answer = call(caller.signal)
  caller.abort()
  expect(await answer).toMatchObject({ ok: false, error: { code: 'cancelled' } })
  expectNoTimerLeft()
})
