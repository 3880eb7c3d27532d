import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { AppError, abortError, type ErrorBody, toErrorBody } from '../errors.js'
import { type AuditedCall, CallRecord } from '../lib/call-record.js'
import type { Job, JobRequest } from '../lib/job.js'
import { giveTurn } from '../lib/turns.js'
import { type Log, referenceLog } from '../platform/log.js'
import { type Asker, ConfirmationGate } from './confirmation-gate.js'
import {
  type BoundTool,
  type Confirmations,
  grantOf,
  type Jobs,
  type UnitsOfWork,
} from './define.js'
import { requireGrant } from './grants.js'
import { namingFields } from './lacking-characters.js'
import { parseArguments, type Registry } from './registry.js'

/** An answer, or the failure as the client sees it. Never thrown, so nothing can forget to catch it. */
export type Outcome<T = unknown> =
  | { readonly ok: true; readonly data: T }
  | { readonly ok: false; readonly error: ErrorBody }

/** Who calls, before the request has its reference and deadline. */
export type Origin = Omit<Asker, 'requestId' | 'record' | 'confirmedPlan'>

interface DispatcherDeps {
  readonly registry: Registry
  readonly unitsOfWork: UnitsOfWork
  readonly jobs: Jobs
  readonly confirmations: Confirmations
  /** Where every tool call is remembered; what only reads is counted. */
  readonly audit: { record(call: AuditedCall): void; count(call: AuditedCall): void }
  /** Hears of every tool call and how it ended. */
  readonly heard?: (call: AuditedCall) => void
  /** What a failure comes from, where this server knows more than who met it. */
  readonly explain: (error: unknown) => unknown
  readonly log: Log
}

const NO_LOG =
  'The server writes no log (LOG_LEVEL=silent). Start it with LOG_LEVEL=error and repeat the call.'
/** How long a server that ends waits for calls that were let go; others are stopped with it. */
const SETTLE_MS = 500

/** Some hosts give up at 60 s and cannot be told otherwise, so a call is answered before that. */
const CALL_DEADLINE_MS = 50_000

/** The one way in: every tool call and resource read, from any transport, passes here. */
export class Dispatcher {
  readonly #deps: DispatcherDeps
  readonly #gate: ConfirmationGate
  readonly #failures: Log
  readonly #running = new Set<Promise<unknown>>()

  constructor(deps: DispatcherDeps) {
    this.#deps = deps
    this.#gate = new ConfirmationGate(deps.confirmations)
    this.#failures = referenceLog(deps.log)
  }

  /** Resolves when every call that runs has its outcome, or after a while; the sender has a turn then. */
  async settled(): Promise<void> {
    const stop = new AbortController()
    await Promise.race([
      Promise.all(this.#running),
      delay(SETTLE_MS, undefined, { ref: false, signal: stop.signal }).catch(() => {}),
    ])
    stop.abort()
    await giveTurn()
  }

  /** Calls a tool that exists; `args` are checked here. */
  callTool(tool: BoundTool, args: unknown, origin: Origin): Promise<Outcome> {
    return this.#audited(tool, args, origin, async (caller) => {
      requireGrant(caller.scope.grants, grantOf(tool), tool.name)
      const { answer, replayed } = await this.#call(tool, args, caller)
      return tool.output.parse(replayed ? { ...Object(answer), replayed } : answer)
    })
  }

  /** Starts the job of a job tool and answers what it is, without waiting for what it becomes. */
  startJob(tool: BoundTool, args: unknown, origin: Origin): Promise<Outcome<Job>> {
    return this.#audited(tool, args, origin, async (caller) => {
      requireGrant(caller.scope.grants, grantOf(tool), tool.name)
      const request = await this.#jobRequest(tool, args, caller)
      return this.#deps.jobs.start(request, caller)
    })
  }

  /** A call of a tool that does not exist is refused by the protocol, and remembered like any other. */
  refuseUnknown(name: string, args: unknown, origin: Origin): Promise<Outcome<never>> {
    const refused = new AppError('not_found', `Unknown tool ${JSON.stringify(name.slice(0, 128))}.`)
    return this.refuse(name, args, origin, refused)
  }

  /** Remembers a call that something before it refuses. */
  refuse(name: string, args: unknown, origin: Origin, why: AppError): Promise<Outcome<never>> {
    return this.#audited({ name }, args, origin, () => Promise.reject(why))
  }

  /** Asks a task's job to stop, as `cancel_job` does. */
  cancelTask(taskId: string, origin: Origin): Promise<Outcome<Job>> {
    const cancel = { name: 'tasks/cancel' }
    return this.#audited(cancel, { taskId }, origin, (caller) =>
      this.#deps.jobs.cancel(taskId, caller.principal),
    )
  }

  /** Reads the resource at a URI or bare path. */
  readResource(uri: string, origin: Origin): Promise<Outcome> {
    const caller = { ...origin, requestId: randomUUID(), record: null, confirmedPlan: null }
    return this.#answer(caller, async (asked) => {
      requireGrant(asked.scope.grants, 'db:read', 'Reading a resource')
      return this.#deps.registry.read(uri, asked)
    })
  }

  async #call(tool: BoundTool, args: unknown, caller: Asker) {
    const { registry, unitsOfWork, jobs } = this.#deps
    if (tool.onRestart !== null) {
      const request = await this.#jobRequest(tool, args, caller)
      return jobs
        .call(request, caller)
        .catch((error: unknown) => this.#gate.askAfter(error, tool, args, caller))
    }
    if (!tool.persists) {
      const input = parseArguments(tool, args)
      const confirmedPlan = await this.#gate.pass(tool, args, caller)
      return { answer: await tool.run(input, { ...caller, confirmedPlan }), replayed: false }
    }
    const { unit, run } = registry.persisting(tool, args, caller)
    return unitsOfWork.run(unit, caller, run)
  }

  /** A call whose answer was lost comes again with its key: its job needs no second confirmation. */
  async #jobRequest(tool: BoundTool, args: unknown, caller: Asker): Promise<JobRequest> {
    const { registry, jobs } = this.#deps
    const request = registry.jobRequest(tool, args)
    if (tool.confirm && (await jobs.find(request, caller))) return request
    return { ...request, confirmedPlan: await this.#gate.pass(tool, args, caller) }
  }

  /** Every tool call is audited, whatever becomes of it. */
  async #audited<T>(
    tool: Pick<BoundTool, 'name'> & Partial<BoundTool>,
    args: unknown,
    origin: Origin,
    work: (caller: Asker) => Promise<T>,
  ): Promise<Outcome<T>> {
    const requestId = randomUUID()
    const call = { principal: origin.principal, requestId, tool: tool.name, arguments: args }
    const record = new CallRecord(call)
    const caller = { ...origin, requestId, record, confirmedPlan: null }
    const outcome = await this.#answer(caller, (asked) => namingFields(args, () => work(asked)))
    const result = outcome.ok ? resultOf(outcome.data, tool) : outcome.error.code
    const { audit, heard } = this.#deps
    const entry = record.entry(result)
    heard?.(entry)
    if (tool.effect === 'read' && !record.refusal) audit.count(entry)
    else if (!record.isKept) audit.record(entry)
    return outcome
  }

  #answer<T>(caller: Asker, work: (caller: Asker) => Promise<T>): Promise<Outcome<T>> {
    const outcome = this.#outcome(caller, work)
    this.#running.add(outcome)
    return outcome.finally(() => this.#running.delete(outcome))
  }

  /** The one catch of the request path. */
  async #outcome<T>(caller: Asker, work: (caller: Asker) => Promise<T>): Promise<Outcome<T>> {
    const reference = caller.requestId
    const { signal, release } = limited(caller.signal)
    try {
      const data = await work({ ...caller, signal })
      return { ok: true, data }
    } catch (error) {
      const shown = signal.aborted && !(error instanceof AppError) ? abortError(signal) : error
      return { ok: false, error: this.#describe(this.#deps.explain(shown), reference) }
    } finally {
      release()
    }
  }

  #describe(error: unknown, reference: string): ErrorBody {
    const isExpected = error instanceof AppError && error.code !== 'internal_error'
    this.#failures[isExpected ? 'info' : 'error']({ err: error, reference }, 'call failed')
    const body = toErrorBody(error, reference)
    return isExpected || this.#deps.log.level !== 'silent' ? body : { ...body, hint: NO_LOG }
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

/** A job goes on without its call, whether that waited for it or took it as a task. */
function resultOf(data: unknown, { onRestart = null }: Partial<BoundTool>): string {
  const { replayed, status, state } = Object(data)
  if (onRestart !== null && (status === 'running' || state !== undefined)) return 'running'
  return replayed === undefined ? 'ok' : 'replayed'
}

const deadlineError = (): AppError =>
  new AppError('timeout', 'The call took longer than its deadline and was stopped.', {
    hint: 'Nothing was written. Send less in one call, or send it again when the database is less busy.',
  })
