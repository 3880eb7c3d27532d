import type { z } from 'zod'
import type { EventType } from '../events.js'
import type { AuditedCall } from '../lib/call-record.js'
import type { Caller, UnitOfWork } from '../lib/caller.js'
import type { ConfirmationClaim, ConfirmationTicket, Question } from '../lib/confirmation.js'
import type { Grant } from '../lib/grants.js'
import type { Job, JobLane, JobRequest, OnRestart } from '../lib/job.js'
import type { Queryable, Transaction } from '../platform/postgres/queryable.js'

/** What a tool or resource gets beside its arguments. */
interface Call<S> extends Caller {
  readonly service: S
}

/** What a persisting tool gets: its writes are one unit with its idempotency key and its events. */
interface PersistCall<S> extends Call<S> {
  readonly tx: Transaction
}

/** What a resource gets beside its parameters. */
interface ReadCall<S> extends Call<S> {
  /** The transaction that the read is an operation of; null when it stands alone. */
  readonly tx: Queryable | null
}

/**
 * `read` changes nothing, `write` adds or changes, `destroy` can lose something. Safety hints,
 * read-only mode, confirmation and audit follow from it.
 */
export type Effect = 'read' | 'write' | 'destroy'

interface Named {
  readonly name: string
  readonly title: string
  /** Prose for a model: when to use it, what it changes, what to read next. */
  readonly description: string
}

interface ToolFacts<I extends z.ZodObject, O extends z.ZodType> extends Named {
  readonly effect: Effect
  /** Calling it twice with the same arguments has the effect of one call. */
  readonly idempotent: boolean
  /** The answer contains text written by outsiders, such as headlines. */
  readonly openWorld: boolean
  /** What its caller must have been granted; by its effect unless said otherwise. */
  readonly grant?: Grant
  /** Needed so often that hosts should not have to search for it; few tools are. */
  readonly alwaysLoad?: boolean
  readonly input: I
  readonly output: O
}

/** Tools of effect `destroy` say before each call what it would destroy. */
interface Asking<S, I extends z.ZodObject> {
  /** What is to be confirmed before `run`; null when this call needs no confirmation. */
  confirm?(input: z.output<I>, call: Call<S>): Promise<Question | null>
}

interface PlainTool<S, I extends z.ZodObject, O extends z.ZodType>
  extends ToolFacts<I, O>,
    Asking<S, I> {
  run(input: z.output<I>, call: Call<S>): Promise<z.input<O>>
}

interface PersistTool<S, I extends z.ZodObject, O extends z.ZodObject> extends ToolFacts<I, O> {
  run(input: z.output<I>, call: PersistCall<S>): Promise<z.input<O>>
}

interface JobTool<S, I extends z.ZodObject, O extends z.ZodObject>
  extends ToolFacts<I, O>,
    Asking<S, I> {
  /** Whether it may be run again from its start after the server that ran it has died. */
  readonly onRestart: OnRestart
  /** Which other jobs it may have to wait for: `bulk`, unless said otherwise. */
  readonly lane?: JobLane
  /** The signal is aborted by `cancel_job` or the end of the server, never by the request. */
  run(input: z.output<I>, call: Call<S>): Promise<z.input<O>>
  /** The same work as one operation of a transaction that somebody else commits. */
  operate?(input: z.output<I>, call: PersistCall<S>): Promise<z.input<O>>
}

interface ToolKind {
  /** Persisting tools run inside a transaction, alone or in a session, at most once per key. */
  readonly persists: boolean
  /** Set for job tools only: they run apart from the request, on whichever server takes them. */
  readonly onRestart: OnRestart | null
  readonly lane?: JobLane
}

/** A tool as the registry holds it, its argument types forgotten. */
export interface AnyTool<S> extends ToolFacts<z.ZodObject, z.ZodType>, ToolKind {
  run(input: never, call: never): Promise<unknown>
  confirm?(input: never, call: never): Promise<Question | null>
  /** Its work inside a transaction, for tools that can be operations of one. */
  operate?(input: never, call: never): Promise<unknown>
  readonly __service?: (service: S) => void
}

/** Defines tools that call one domain's service. */
export const toolFor =
  <S>() =>
  <I extends z.ZodObject, O extends z.ZodType>(tool: PlainTool<S, I, O>): AnyTool<S> => ({
    ...tool,
    persists: false,
    onRestart: null,
  })

/** Defines tools whose whole effect is one database transaction, exactly once per idempotency key. */
export const persistToolFor =
  <S>() =>
  <I extends z.ZodObject, O extends z.ZodObject>(tool: PersistTool<S, I, O>): AnyTool<S> => ({
    ...tool,
    operate: tool.run,
    persists: true,
    onRestart: null,
  })

/** Defines tools whose work may take long: it survives the request, the connection and the server. */
export const jobToolFor =
  <S>() =>
  <I extends z.ZodObject, O extends z.ZodObject>(tool: JobTool<S, I, O>): AnyTool<S> => ({
    ...tool,
    persists: false,
  })

interface ResourceFacts<I extends z.ZodObject, O extends z.ZodType> extends Omit<Named, 'name'> {
  /** The specification's path, such as `db/status` or `db/sessions/{session_id}`. */
  readonly path: string
  /** Path and query parameters; each query parameter is optional or has a default. */
  readonly input: I
  readonly output: O
  /** Events after which a reader should read again; update notifications are derived from it. */
  readonly refreshedBy?: readonly EventType[]
  /** How long a client may keep the answer, in milliseconds. */
  readonly ttlMs?: number
}

interface Resource<S, I extends z.ZodObject, O extends z.ZodType> extends ResourceFacts<I, O> {
  read(input: z.output<I>, call: ReadCall<S>): Promise<z.input<O>>
}

/** A resource as the registry holds it, its parameter types forgotten. */
export interface AnyResource<S> extends ResourceFacts<z.ZodObject, z.ZodType> {
  read(input: never, call: ReadCall<S>): Promise<unknown>
}

/** Defines resources read from one domain's service. */
export const resourceFor =
  <S>() =>
  <I extends z.ZodObject, O extends z.ZodType>(resource: Resource<S, I, O>): AnyResource<S> =>
    resource

/** Runs units of work: opens or joins the transaction, keeps the key and the answer with the effect. */
export interface UnitsOfWork {
  run<T>(
    unit: UnitOfWork,
    caller: Caller,
    work: (tx: Transaction) => Promise<T>,
  ): Promise<{ readonly answer: T; readonly replayed: boolean }>
}

/** Runs job tools; a job is its principal's, and to others it does not exist. */
export interface Jobs {
  /** Starts the job, or joins the one with the same key, and waits for its answer for a while. */
  call(
    request: JobRequest,
    caller: Caller,
  ): Promise<{ readonly answer: unknown; readonly replayed: boolean }>
  /** The job that has used this key for the same call; null without one. */
  find(request: JobRequest, caller: Caller): Promise<Job | null>
  /** Starts or joins the job without waiting. */
  start(request: JobRequest, caller: Caller): Promise<Job>
  get(jobId: string, principal: string): Promise<Job>
  /** Asks a job to stop; one that has ended stays as it is. */
  cancel(jobId: string, principal: string): Promise<Job>
}

/** Keeps the tokens of destructive calls; each is good for one call of one caller with one plan, once. */
export interface Confirmations {
  issue(claim: ConfirmationClaim): Promise<ConfirmationTicket>
  /** With the audit's entry of what is about to be done; false when the token is not good for this claim. */
  redeem(token: string, claim: ConfirmationClaim, intent: AuditedCall): Promise<boolean>
  revoke(token: string, principal: string): Promise<void>
}

/** What the caller of a tool must have been granted. */
export const grantOf = ({ grant, effect }: Pick<BoundTool, 'grant' | 'effect'>): Grant =>
  grant ?? GRANT_BY_EFFECT[effect]

const GRANT_BY_EFFECT = { read: 'db:read', write: 'db:write', destroy: 'db:admin' } as const

interface PromptFacts<I extends z.ZodObject> extends Named {
  /** What a user may add; every argument is a text. */
  readonly input: I
}

interface PromptSpec<I extends z.ZodObject> extends PromptFacts<I> {
  /** What a model is asked to do, naming only what is served. */
  text(input: z.output<I>): string
}

/** A prompt as the registry holds it, its argument types forgotten. */
export interface AnyPrompt extends PromptFacts<z.ZodObject> {
  text(input: never): string
}

/** Defines a task that a user picks in their host, and the host's model carries out. */
export const prompt = <I extends z.ZodObject>(spec: PromptSpec<I>): AnyPrompt => spec

/** Everything a client can ask of one service: the exports of its `tools.ts`, `resources.ts` and `prompts.ts`. */
export interface Domain<S> {
  /** Also of the toolset. */
  readonly name: string
  /** What its tools are for, in the words of users: one line of the server's instructions. */
  readonly tasks?: string
  readonly tools?: Readonly<Record<string, AnyTool<S>>>
  readonly resources?: Readonly<Record<string, AnyResource<S>>>
  readonly prompts?: Readonly<Record<string, AnyPrompt>>
}

/** A tool joined to its service. */
export interface BoundTool extends ToolFacts<z.ZodObject, z.ZodType>, ToolKind {
  readonly domain: string
  /** Not for persisting tools, which only operate. */
  run(input: unknown, caller: Caller): Promise<unknown>
  /** Null for tools that never ask. */
  readonly confirm: ((input: unknown, caller: Caller) => Promise<Question | null>) | null
  /** Null for tools that cannot take part in a transaction. */
  readonly operate: ((input: unknown, caller: Caller, tx: Transaction) => Promise<unknown>) | null
}

/** A resource joined to its service. */
export interface BoundResource extends ResourceFacts<z.ZodObject, z.ZodType> {
  readonly domain: string
  read(input: unknown, caller: Caller, tx: Queryable | null): Promise<unknown>
}

/** A domain joined to its service, ready to be registered. */
export interface BoundDomain {
  readonly name: string
  readonly tasks: string | null
  readonly tools: readonly BoundTool[]
  readonly resources: readonly BoundResource[]
  readonly prompts: readonly AnyPrompt[]
}

/** Joins a domain to its service. */
export const bind = <S>(domain: Domain<S>, service: S): BoundDomain => ({
  name: domain.name,
  tasks: domain.tasks ?? null,
  tools: Object.values(domain.tools ?? {}).map(({ run, confirm, operate, ...tool }) => ({
    ...tool,
    domain: domain.name,
    run: (input, caller) => run(input as never, { ...caller, service } as never),
    confirm: confirm
      ? (input, caller) => confirm(input as never, { ...caller, service } as never)
      : null,
    operate: operate
      ? (input, caller, tx) => operate(input as never, { ...caller, service, tx } as never)
      : null,
  })),
  resources: Object.values(domain.resources ?? {}).map(({ read, ...resource }) => ({
    ...resource,
    domain: domain.name,
    read: (input, caller, tx) => read(input as never, { ...caller, service, tx }),
  })),
  prompts: Object.values(domain.prompts ?? {}),
})
