import type { z } from 'zod'
import { AppError } from '../errors.js'
import type { Caller, RequestedOperation, UnitOfWork } from '../lib/caller.js'
import type { JobRequest, ServedJobTool } from '../lib/job.js'
import { admits, EVERYTHING, type Scope } from '../lib/scope.js'
import type { Queryable, Transaction } from '../platform/postgres/queryable.js'
import { checkArguments } from './argument-limits.js'
import {
  type AnyPrompt,
  type BoundDomain,
  type BoundResource,
  type BoundTool,
  grantOf,
} from './define.js'
import { requireGrant } from './grants.js'
import { namingFields } from './lacking-characters.js'
import { queryParameters, ResourceRouter, SCHEME } from './resources.js'
import {
  CONFIRM_ARGUMENTS,
  describeIssues,
  JOB_ARGUMENTS,
  jobAnswer,
  ownArguments,
  PERSIST_ANSWER,
  PERSIST_ARGUMENTS,
  toAnswerOutline,
  toArgumentOutline,
} from './schemas.js'

/** A tool as `tools/list` shows it. */
export interface ToolListing {
  readonly name: string
  readonly title: string
  readonly description: string
  readonly inputSchema: { readonly type: 'object'; readonly [key: string]: unknown }
  readonly outputSchema: { readonly type: 'object'; readonly [key: string]: unknown }
  readonly annotations: Readonly<Record<string, string | boolean>>
  readonly _meta?: Readonly<Record<string, boolean>>
}

/** A resource as `resources/list` and `resources/templates/list` show it. */
interface ResourceListing {
  readonly name: string
  readonly title: string
  readonly description: string
  readonly mimeType: string
}

/** A prompt as `prompts/list` shows it. */
export interface PromptListing {
  readonly name: string
  readonly title: string
  readonly description: string
  readonly arguments: {
    readonly name: string
    readonly description: string
    readonly required: boolean
  }[]
}

/** Everything the server serves, converted once at start: the one source of lists, docs and tests. */
export class Registry {
  readonly tools: ReadonlyMap<string, BoundTool>
  /** The names of the parts that serve tools. */
  readonly toolsets: ReadonlySet<string>
  /** The job tools by their names. */
  readonly jobTools: ReadonlyMap<string, ServedJobTool>
  readonly resources: readonly BoundResource[]
  readonly router: ResourceRouter
  readonly toolList: readonly ToolListing[]
  readonly resourceList: readonly (ResourceListing & { readonly uri: string })[]
  readonly templateList: readonly (ResourceListing & { readonly uriTemplate: string })[]

  readonly promptList: readonly PromptListing[]

  readonly #prompts: ReadonlyMap<string, AnyPrompt>
  readonly #tasks: readonly (readonly [toolset: string, tasks: string])[]

  constructor(domains: readonly BoundDomain[], scope: Scope = EVERYTHING) {
    const tools = domains
      .flatMap((domain) => domain.tools)
      .filter((tool) => admits(scope, tool))
      .map(withFieldsOfKind)
    this.tools = new Map(tools.map((tool) => [tool.name, tool]))
    this.toolsets = new Set(tools.map(({ domain }) => domain))
    this.#tasks = domains
      .filter(({ name }) => scope.toolsets?.has(name) ?? true)
      .flatMap(({ name, tasks }) => (tasks ? [[name, tasks] as const] : []))
    if (this.tools.size !== tools.length) throw new Error('two tools have the same name')
    this.jobTools = new Map(
      tools
        .filter(({ onRestart }) => onRestart !== null)
        .map((tool) => {
          const run: ServedJobTool['run'] = async (args, caller) =>
            tool.run(parseArguments(tool, args), caller)
          return [tool.name, { lane: tool.lane ?? 'bulk', run }]
        }),
    )
    this.resources = domains.flatMap((domain) => domain.resources)
    this.router = new ResourceRouter(this.resources)
    this.toolList = tools.map(listTool)
    const prompts = domains.flatMap((domain) => domain.prompts)
    this.#prompts = new Map(prompts.map((prompt) => [prompt.name, prompt]))
    this.promptList = prompts.map(listPrompt)
    this.resourceList = this.resources
      .filter(({ path }) => !path.includes('{'))
      .map((resource) => ({ uri: SCHEME + resource.path, ...describe(resource) }))
    this.templateList = this.resources
      .filter(({ input }) => Object.keys(input.shape).length > 0)
      .map((resource) => ({ uriTemplate: templateOf(resource), ...describe(resource) }))
  }

  /**
   * Reads the resource at a URI or bare path, in a transaction when one is given.
   *
   * @throws AppError `not_found` or `invalid_input` for a URI that is not served as it stands
   */
  async read(uri: string, caller: Caller, tx: Queryable | null = null): Promise<unknown> {
    const { resource, input } = this.router.match(uri)
    const read = () => resource.read(input, caller, tx)
    return resource.output.parse(await namingFields(input, read, true))
  }

  /**
   * A call of a tool that writes in a transaction, with its arguments checked: what is to be applied
   * once, and how.
   *
   * @throws AppError `invalid_input` for bad arguments
   */
  persisting(
    tool: BoundTool,
    args: unknown,
    caller: Caller,
  ): { readonly unit: UnitOfWork; readonly run: (tx: Transaction) => Promise<unknown> } {
    const { idempotency_key = null, session_id = null, ...input } = parseArguments(tool, args)
    const unit = {
      tool: tool.name,
      arguments: input,
      idempotencyKey: idempotency_key as string | null,
      sessionId: session_id as string | null,
    }
    const { operate } = tool
    if (!operate) throw new Error(`${tool.name} cannot take part in a transaction`)
    return { unit, run: (tx) => operate(input, caller, tx) }
  }

  /**
   * One operation of a transaction, checked and ready to run in it.
   *
   * @throws AppError `invalid_input` for a tool that cannot take part in a transaction
   */
  operation(requested: RequestedOperation, caller: Caller) {
    if ('resource' in requested) {
      requireGrant(caller.scope.grants, 'db:read', 'Reading a resource')
      return { unit: null, run: (tx: Transaction) => this.read(requested.resource, caller, tx) }
    }
    const tool = this.tool(requested.tool, caller.scope)
    if (!tool?.operate) {
      const allowed = this.#within(caller.scope).filter(({ operate }) => operate)
      throw new AppError('invalid_input', 'This tool cannot be an operation of a transaction.', {
        hint: `Operations may use: ${allowed.map(({ name }) => name).join(', ')}.`,
      })
    }
    requireGrant(caller.scope.grants, grantOf(tool), tool.name)
    const { unit, run } = this.persisting(tool, requested.params, caller)
    if (unit.sessionId === null) return { unit, run }
    throw new AppError(
      'invalid_input',
      'params.session_id: the session is that of the transaction.',
    )
  }

  /**
   * A call of a job tool with its arguments checked.
   *
   * @throws AppError `invalid_input` for bad arguments
   */
  jobRequest(tool: BoundTool, args: unknown): JobRequest {
    const { idempotency_key = null } = parseArguments(tool, args)
    return {
      tool: tool.name,
      arguments: ownArguments(Object(args ?? {})),
      idempotencyKey: idempotency_key as string | null,
      onRestart: tool.onRestart ?? 'fail',
      confirmedPlan: null,
    }
  }

  /**
   * What a prompt asks a model to do.
   *
   * @throws AppError `not_found` for a prompt that is not served, `invalid_input` for bad arguments
   */
  prompt(name: string, args: unknown): { readonly description: string; readonly text: string } {
    const prompt = this.#prompts.get(name)
    if (!prompt) {
      const hint = `Prompts: ${[...this.#prompts.keys()].join(', ')}.`
      throw new AppError('not_found', 'There is no such prompt.', { hint })
    }
    const parsed = prompt.input.strict().safeParse(args ?? {})
    if (parsed.success) {
      return { description: prompt.description, text: prompt.text(parsed.data as never) }
    }
    throw new AppError('invalid_input', describeIssues(parsed.error), {
      hint: `${name} takes: ${Object.keys(prompt.input.shape).join(', ') || 'nothing'}.`,
    })
  }

  /** Every path with the names of its filters: all that a model needs to read any of them. */
  get resourceIndex(): Record<string, string> {
    return Object.fromEntries(
      this.resources.map((resource) => [resource.path, queryParameters(resource).join(',')]),
    )
  }

  /** A tool by its name, if it is within the scope. */
  tool(name: string, scope: Scope): BoundTool | undefined {
    const tool = this.tools.get(name)
    return tool && admits(scope, tool) ? tool : undefined
  }

  /** The list of tools within the scope. */
  toolsWithin(scope: Scope): readonly ToolListing[] {
    return this.toolList.filter(({ name }) => this.tool(name, scope))
  }

  /** What a model is told before it has looked at any tool: the tasks of every part within the scope. */
  tasks({ toolsets }: Scope): string[] {
    return this.#tasks.filter(([name]) => toolsets?.has(name) ?? true).map(([, tasks]) => tasks)
  }

  /** The tool names within the scope most like a name that is not served. */
  nearestTools(name: string, scope: Scope): string[] {
    const words = name.toLowerCase().split(/[^a-z0-9]+/)
    return this.#within(scope)
      .map((tool) => ({ tool: tool.name, shared: sharedWords(words, tool.name) }))
      .filter(({ shared }) => shared > 0)
      .sort((a, b) => b.shared - a.shared)
      .slice(0, 5)
      .map(({ tool }) => tool)
  }

  #within(scope: Scope): BoundTool[] {
    return [...this.tools.values()].filter((tool) => admits(scope, tool))
  }
}

/**
 * Checks a call's arguments against the tool's schema.
 *
 * @throws AppError `invalid_input` that names every field that is wrong
 */
export function parseArguments(tool: BoundTool, args: unknown): Record<string, unknown> {
  checkArguments(args)
  const parsed = tool.input.safeParse(args ?? {})
  if (parsed.success) return parsed.data
  throw new AppError('invalid_input', describeIssues(parsed.error), {
    hint: `Nothing was done. ${tool.name} takes: ${Object.keys(tool.input.shape).join(', ')}.`,
  })
}

function withFieldsOfKind(bound: BoundTool): BoundTool {
  const tool = bound.confirm ? { ...bound, input: bound.input.extend(CONFIRM_ARGUMENTS) } : bound
  if (tool.onRestart !== null) return withJobFields(tool)
  if (!tool.persists) return { ...tool, input: tool.input.strict() }
  return {
    ...tool,
    input: tool.input.extend(PERSIST_ARGUMENTS).strict(),
    output: (tool.output as z.ZodObject).extend(PERSIST_ANSWER),
  }
}

/** What its run answers is checked where it ends, which is not where the client waits for it. */
function withJobFields(tool: BoundTool): BoundTool {
  const done = tool.output as z.ZodObject
  return {
    ...tool,
    input: tool.input.extend(JOB_ARGUMENTS).strict(),
    output: jobAnswer(done),
    run: async (input, caller) => done.parse(await tool.run(input, caller)),
  }
}

const listTool = (tool: BoundTool): ToolListing => ({
  name: tool.name,
  title: tool.title,
  description: tool.description,
  inputSchema: { type: 'object', ...toArgumentOutline(tool.input) },
  outputSchema: toAnswerOutline(tool.output),
  annotations: {
    readOnlyHint: tool.effect === 'read',
    destructiveHint: tool.effect === 'destroy',
    idempotentHint: tool.idempotent,
    openWorldHint: tool.openWorld,
  },
  ...(tool.effect === 'destroy' ? { _meta: ASK_A_PERSON } : {}),
  ...(tool.alwaysLoad ? { _meta: ALWAYS_LOAD } : {}),
})

const listPrompt = ({ name, title, description, input }: AnyPrompt): PromptListing => ({
  name,
  title,
  description,
  arguments: Object.entries(input.shape).map(([argument, schema]) => ({
    name: argument,
    description: schema.description ?? '',
    required: !schema.safeParse(undefined).success,
  })),
})

/** Hosts that know it ask a person before each call, whatever mode they are in. */
const ASK_A_PERSON = { 'anthropic/requiresUserInteraction': true }
/** Hosts that search for tools have it at hand without searching. */
const ALWAYS_LOAD = { 'anthropic/alwaysLoad': true }

const describe = (resource: BoundResource): ResourceListing => ({
  name: resource.path,
  title: resource.title,
  description: resource.description,
  mimeType: 'application/json',
})

function templateOf(resource: BoundResource): string {
  const query = queryParameters(resource)
  return `${SCHEME}${resource.path}${query.length > 0 ? `{?${query.join(',')}}` : ''}`
}

/** Counts words that begin alike, so that `persist_trade` finds `persist_trade_execution`. */
const sharedWords = (words: readonly string[], tool: string): number =>
  tool
    .split('_')
    .filter((part) =>
      words.some((word) => word && (part.startsWith(word) || word.startsWith(part))),
    ).length
