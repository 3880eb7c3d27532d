import { randomUUID } from 'node:crypto'
import { AppError, abortError, type ErrorBody, toErrorBody } from '../errors.js'
import { type AuditedCall, CallRecord } from '../lib/call-record.js'
import type { Caller } from '../lib/caller.js'
import type { Job } from '../lib/job.js'
import type { Log } from '../platform/log.js'
import type { BoundTool, Jobs, UnitsOfWork } from './define.js'
import { parseArguments, type Registry } from './registry.js'

/** An answer, or the failure as the client sees it. Never thrown, so nothing can forget to catch it. */
export type Outcome<T = unknown> =
  | { readonly ok: true; readonly data: T }
  | { readonly ok: false; readonly error: ErrorBody }

/** Who calls, before the request has its reference and deadline. */
export type Origin = Omit<Caller, 'requestId' | 'record'>

interface DispatcherDeps {
  readonly registry: Registry
  readonly unitsOfWork: UnitsOfWork
  readonly jobs: Jobs
  /** Where every tool call is remembered. */
  readonly audit: { record(call: AuditedCall): void }
  readonly log: Log
}

/** Some hosts give up at 60 s and cannot be told otherwise, so a call is answered before that. */
const CALL_DEADLINE_MS = 50_000

/** The one way in: every tool call and resource read, from any transport, passes here. */
export class Dispatcher {
  readonly #deps: DispatcherDeps

  constructor(deps: DispatcherDeps) {
    this.#deps = deps
  }

  /** Calls a tool that exists; `args` are checked here. */
  callTool(tool: BoundTool, args: unknown, origin: Origin): Promise<Outcome> {
    return this.#record(tool, args, origin, async (caller) => {
      const { answer, replayed } = await this.#call(tool, args, caller)
      return tool.output.parse(replayed ? { ...Object(answer), replayed } : answer)
    })
  }

  /** Starts the job of a job tool and answers what it is, without waiting for what it becomes. */
  startJob(tool: BoundTool, args: unknown, origin: Origin): Promise<Outcome<Job>> {
    const { registry, jobs } = this.#deps
    return this.#record(tool, args, origin, (caller) =>
      jobs.start(registry.jobRequest(tool, args), caller),
    )
  }

  /** Reads the resource at a URI or bare path. */
  readResource(uri: string, origin: Origin): Promise<Outcome> {
    const caller = { ...origin, requestId: randomUUID(), record: null }
    return this.#answer(caller, (asked) => this.#deps.registry.read(uri, asked))
  }

  async #call(tool: BoundTool, args: unknown, caller: Caller) {
    const { registry, unitsOfWork, jobs } = this.#deps
    if (tool.onRestart !== null) return jobs.call(registry.jobRequest(tool, args), caller)
    if (!tool.persists) {
      return { answer: await tool.run(parseArguments(tool, args), caller), replayed: false }
    }
    const { unit, run } = registry.persisting(tool, args, caller)
    return unitsOfWork.run(unit, caller, run)
  }

  /** Every tool call is audited, whatever becomes of it. */
  async #record<T>(
    tool: BoundTool,
    args: unknown,
    origin: Origin,
    work: (caller: Caller) => Promise<T>,
  ): Promise<Outcome<T>> {
    const requestId = randomUUID()
    const call = { principal: origin.principal, requestId, tool: tool.name, arguments: args }
    const record = new CallRecord(call)
    const outcome = await this.#answer({ ...origin, requestId, record }, work)
    const result = outcome.ok ? resultOf(outcome.data) : outcome.error.code
    if (!record.isKept) this.#deps.audit.record(record.entry(result))
    return outcome
  }

  /** The one catch of the request path. */
  async #answer<T>(caller: Caller, work: (caller: Caller) => Promise<T>): Promise<Outcome<T>> {
    const reference = caller.requestId
    const { signal, release } = limited(caller.signal)
    try {
      const data = await work({ ...caller, signal })
      return { ok: true, data }
    } catch (error) {
      const shown = signal.aborted && !(error instanceof AppError) ? abortError(signal) : error
      return { ok: false, error: this.#describe(shown, reference) }
    } finally {
      release()
    }
  }

  #describe(error: unknown, reference: string): ErrorBody {
    const isExpected = error instanceof AppError && error.code !== 'internal_error'
    this.#deps.log[isExpected ? 'info' : 'error']({ err: error, reference }, 'call failed')
    return toErrorBody(error, reference)
  }
}

/** The caller's signal with the deadline. By hand: AbortSignal.any costs three times as much. */
function limited(gone: AbortSignal) {
  const call = new AbortController()
  const stop = (): void => call.abort(gone.reason)
  const timer = setTimeout(() => call.abort(deadlineError()), CALL_DEADLINE_MS)
  if (gone.aborted) stop()
  else gone.addEventListener('abort', stop, { once: true })
  const release = (): void => {
    clearTimeout(timer)
    gone.removeEventListener('abort', stop)
  }
  return { signal: call.signal, release }
}

const resultOf = (data: unknown): string =>
  typeof data === 'object' && data !== null && 'replayed' in data ? 'replayed' : 'ok'

const deadlineError = (): AppError =>
  new AppError('timeout', 'The call took longer than its deadline and was stopped.', {
    hint: 'Nothing was written. Send less in one call, or send it again when the database is less busy.',
  })
