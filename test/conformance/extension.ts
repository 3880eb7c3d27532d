import { setTimeout as delay } from 'node:timers/promises'
import {
  type CallToolResult,
  type InputRequiredResult,
  type ListToolsResult,
  type McpRequestContext,
  ProtocolError,
  ProtocolErrorCode,
  type RequestMethod,
  type RequestTypeMap,
  type ResultTypeMap,
  type Server,
  type ServerContext,
  type ServerEvent,
  type ServerEventBus,
} from '@modelcontextprotocol/server'
import { z } from 'zod'
import {
  answerForTask,
  askingTaskTools,
  refuseWithoutTasks,
  startAskingTask,
} from './asking-tasks.js'
import { binaryResources, contentTools, prompts } from './contents.js'
import { askingTools, runAskingTool } from './questions.js'

/**
 * Joins to a product server what the referee wants to see and the product does not have: other
 * content than JSON, log messages, questions to the client, prompts, completions. Every other name
 * is answered by the product's own handlers.
 */
export function joinFixtures(
  server: Server,
  bus: ServerEventBus,
  { era }: McpRequestContext,
): void {
  server.registerCapabilities({
    tools: { listChanged: true },
    prompts: { listChanged: true },
    completions: {},
    logging: {},
  })
  joinTools(server, bus)
  joinBinaryResources(server)
  joinPrompts(server)
  if (era === 'modern') joinTasks(server)
}

function joinTools(server: Server, bus: ServerEventBus): void {
  const list = productHandler(server, 'tools/list')
  server.setRequestHandler('tools/list', async (request, ctx) => {
    const listed = await list(request, ctx)
    return { ...listed, tools: [...listed.tools, ...toolListings] }
  })
  const call = productHandler(server, 'tools/call')
  server.setRequestHandler('tools/call', (request, ctx) => {
    const { name, arguments: args = {} } = request.params
    refuseWithoutTasks(name, ctx)
    return callFixture(name, args, ctx) ?? triggerChange(name, bus) ?? call(request, ctx)
  })
}

function callFixture(
  name: string,
  args: Record<string, unknown>,
  ctx: ServerContext,
): Promise<CallToolResult | InputRequiredResult> | undefined {
  if (name === 'greet') return Promise.resolve(greet(args))
  if (askingTaskTools.includes(name)) {
    return Promise.resolve(startAskingTask(name, args, ctx) as unknown as CallToolResult)
  }
  const content = contentTools[name]
  if (content) return Promise.resolve(content)
  const asking = askingTools[name]
  if (asking) return runAskingTool(asking, args, ctx)
  return LOGGING_TOOLS.includes(name) ? runLoggingTool(ctx) : undefined
}

const greet = ({ name }: Record<string, unknown>): CallToolResult => ({
  content: [{ type: 'text', text: `Hello, ${name}!` }],
})

const TRIGGERS: Readonly<Record<string, ServerEvent>> = {
  test_trigger_tool_change: { kind: 'tools_list_changed' },
  test_trigger_prompt_change: { kind: 'prompts_list_changed' },
}

function triggerChange(name: string, bus: ServerEventBus): CallToolResult | undefined {
  const event = TRIGGERS[name]
  if (!event) return undefined
  bus.publish(event)
  return { content: [{ type: 'text', text: event.kind }] }
}

const LOGGING_TOOLS = ['test_tool_with_logging', 'test_logging_tool']

async function runLoggingTool(ctx: ServerContext): Promise<CallToolResult> {
  await ctx.mcpReq.log('info', 'Tool execution started')
  await delay(50)
  await ctx.mcpReq.log('info', 'Tool processing data')
  await delay(50)
  await ctx.mcpReq.log('info', 'Tool execution completed')
  return { content: [{ type: 'text', text: 'logged' }] }
}

const toolListings: ListToolsResult['tools'] = [
  'greet',
  ...askingTaskTools,
  ...Object.keys(contentTools),
  ...LOGGING_TOOLS,
  ...Object.keys(TRIGGERS),
  ...Object.keys(askingTools),
].map((name) => ({
  name,
  description: 'A fixture of the referee.',
  inputSchema: { type: 'object', properties: { ...askingTools[name]?.properties } },
}))

function joinBinaryResources(server: Server): void {
  const read = productHandler(server, 'resources/read')
  server.setRequestHandler(
    'resources/read',
    (request, ctx) => binaryResources[request.params.uri] ?? read(request, ctx),
  )
}

function joinPrompts(server: Server): void {
  server.setRequestHandler('prompts/list', () => ({
    prompts: Object.entries(prompts).map(([name, prompt]) => ({
      name,
      description: prompt.description,
      arguments: prompt.arguments.map((argument) => ({ name: argument, required: true })),
    })),
  }))
  server.setRequestHandler('prompts/get', ({ params }, ctx) => {
    const prompt = prompts[params.name]
    if (prompt) return prompt.get(params.arguments ?? {}, ctx)
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Unknown prompt ${params.name}`)
  })
  server.setRequestHandler('completion/complete', ({ params }) => {
    const values = ['paris', 'park', 'party'].filter((city) =>
      city.startsWith(params.argument.value),
    )
    return { completion: { values, total: values.length, hasMore: false } }
  })
}

function joinTasks(server: Server): void {
  const params = z.looseObject({ taskId: z.string() })
  for (const method of ['tasks/get', 'tasks/update', 'tasks/cancel']) {
    const answer = productHandler(server, method as RequestMethod)
    server.setRequestHandler(method, { params, result: z.looseObject({}) }, (asked, ctx) => {
      const known = answerForTask(method, asked.taskId, ctx)
      return known ?? answer({ method, params: asked } as never, ctx)
    })
  }
}

/** The handler the product has registered; the SDK keeps it to itself. */
function productHandler<M extends RequestMethod>(server: Server, method: M) {
  // biome-ignore lint/complexity/useLiteralKeys: the method is protected, the other form does not compile
  const handler = server['_getRequestHandler'](method)
  if (!handler) throw new Error(`the product does not serve ${method}`)
  return (request: RequestTypeMap[M], ctx: ServerContext) =>
    handler(request as never, ctx) as Promise<ResultTypeMap[M]>
}
