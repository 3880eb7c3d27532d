import { randomUUID } from 'node:crypto'
import {
  CLIENT_CAPABILITIES_META_KEY,
  type InputRequests,
  inputRequired,
  inputResponse,
  MissingRequiredClientCapabilityError,
  type ServerContext,
} from '@modelcontextprotocol/server'

const EXTENSION = 'io.modelcontextprotocol/tasks'
/** The referee wants some tools to be refused to clients that cannot take a task. */
const TASK_ONLY = ['failing_job', 'protocol_error_job', 'confirm_delete', 'multi_input']

type Answer = Record<string, unknown>

interface AskingTask {
  readonly createdAt: string
  /** What is asked and not answered yet. */
  readonly asks: InputRequests
  readonly answers: Record<string, unknown>
  isCancelled: boolean
}

const ask = (message: string, name: string) =>
  inputRequired.elicit({
    message,
    requestedSchema: {
      type: 'object',
      properties: { [name]: { type: 'string' } },
      required: [name],
    },
  })

const questions: Readonly<Record<string, (args: Answer) => InputRequests>> = {
  confirm_delete: ({ filename }) => ({ confirm: ask(`Delete ${filename}?`, 'confirm') }),
  multi_input: () => ({ first: ask('first?', 'name'), second: ask('second?', 'name') }),
}

/** The referee's tools that ask while they are tasks, or before. */
export const askingTaskTools = [...Object.keys(questions), 'test_tool_with_task']

const tasks = new Map<string, AskingTask>()

/** Refuses a tool that is only served as a task. */
export function refuseWithoutTasks(name: string, ctx: ServerContext): void {
  const declared = Object(Object(ctx.mcpReq.envelope)[CLIENT_CAPABILITIES_META_KEY])
  if (!TASK_ONLY.includes(name) || declared.extensions?.[EXTENSION]) return
  throw new MissingRequiredClientCapabilityError({
    requiredCapabilities: { extensions: { [EXTENSION]: {} } },
  })
}

/** Starts a task that asks; a call that asks before it is a task is answered first. */
export function startAskingTask(name: string, args: Answer, ctx: ServerContext): Answer {
  const named = inputResponse(ctx.mcpReq.inputResponses, 'user_name')
  if (name === 'test_tool_with_task' && named.kind === 'missing') {
    return { ...inputRequired({ inputRequests: { user_name: ask('name?', 'name') } }) }
  }
  const taskId = randomUUID()
  const task: AskingTask = {
    createdAt: new Date().toISOString(),
    asks: questions[name]?.(args) ?? {},
    answers: { ...ctx.mcpReq.inputResponses },
    isCancelled: false,
  }
  tasks.set(taskId, task)
  return { resultType: 'task', ...describe(taskId, task), status: 'working' }
}

/** Answers `tasks/*` for the tasks that are started here; undefined for all others. */
export function answerForTask(
  method: string,
  taskId: string,
  ctx: ServerContext,
): Answer | undefined {
  const task = tasks.get(taskId)
  if (!task) return undefined
  if (method === 'tasks/get') return { resultType: 'complete', ...detail(taskId, task) }
  if (method === 'tasks/cancel') task.isCancelled = true
  for (const [key, response] of Object.entries(ctx.mcpReq.inputResponses ?? {})) {
    if (!(key in task.asks)) continue
    delete task.asks[key]
    task.answers[key] = response
  }
  return { resultType: 'complete' }
}

const isOpen = ({ asks }: AskingTask): boolean => Object.keys(asks).length > 0

function describe(taskId: string, task: AskingTask): Answer {
  const settled = isOpen(task) ? 'input_required' : 'completed'
  return {
    taskId,
    status: task.isCancelled ? 'cancelled' : settled,
    createdAt: task.createdAt,
    lastUpdatedAt: task.createdAt,
    ttlMs: 300_000,
    pollIntervalMs: 100,
  }
}

function detail(taskId: string, task: AskingTask): Answer {
  const described = describe(taskId, task)
  if (task.isCancelled) return described
  if (isOpen(task)) return { ...described, inputRequests: task.asks }
  return {
    ...described,
    result: { content: [{ type: 'text', text: JSON.stringify(task.answers) }] },
  }
}
