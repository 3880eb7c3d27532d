import { expect, test } from 'vitest'
import { newId } from '../../src/lib/ids.js'
import { startApp } from '../support/app.js'
import { waitFor } from '../support/wait-for.js'
import { Bench, benchPart } from './bench.js'

const EXTENSION = 'io.modelcontextprotocol/tasks'
const bench = new Bench()
const app = await startApp({ parts: [benchPart(bench)] })

interface RequestOptions {
  readonly extension?: boolean
  /** The `Mcp-Name` header; by default what the parameters name. */
  readonly name?: string | null
}

/** One JSON-RPC request of the 2026 era as it is on the wire; answers the response's body. */
async function rpc(
  method: string,
  params: Record<string, unknown>,
  { extension = true, name = String(params.taskId ?? params.name) }: RequestOptions = {},
  // biome-ignore lint/suspicious/noExplicitAny: answers are asserted field by field, not typed
): Promise<any> {
  const response = await fetch(app.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': method,
      ...(name === null ? {} : { 'mcp-name': name }),
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method,
      params: {
        ...params,
        _meta: {
          'io.modelcontextprotocol/protocolVersion': '2026-07-28',
          'io.modelcontextprotocol/clientInfo': { name: 'test', version: '0' },
          'io.modelcontextprotocol/clientCapabilities': extension
            ? { extensions: { [EXTENSION]: {} } }
            : {},
        },
      },
    }),
  })
  const text = await response.text()
  const [, data = text] = /^data: (.*)$/m.exec(text) ?? []
  return { status: response.status, ...JSON.parse(data) }
}

const startTask = async (tool: string, args: Record<string, unknown>) =>
  (await rpc('tools/call', { name: tool, arguments: args })).result
const getTask = async (taskId: string) => (await rpc('tasks/get', { taskId })).result

test('the extension is advertised to 2026 clients only', async () => {
  const { result } = await rpc('server/discover', {}, { name: null })
  expect(result.capabilities.extensions).toEqual({ [EXTENSION]: {} })
  const legacy = await app.connect('legacy')
  expect(legacy.sdk.getServerCapabilities()?.extensions).toBeUndefined()
})

test('a job tool answers a task at once, whose result comes with tasks/get', async () => {
  const task = await startTask('run_held', { label: 'task' })
  expect(task).toMatchObject({
    resultType: 'task',
    taskId: expect.stringMatching(/^job_/),
    status: 'working',
    createdAt: expect.any(String),
    lastUpdatedAt: expect.any(String),
    ttlMs: expect.any(Number),
    pollIntervalMs: expect.any(Number),
  })
  const { taskId } = task
  expect(await getTask(taskId)).toMatchObject({ resultType: 'complete', taskId, status: 'working' })
  await waitFor(() => bench.isRunning('task'))
  bench.say('task', 1, 2, 'half way')
  await waitFor(async () => (await getTask(taskId)).statusMessage === 'half way')
  expect((await rpc('tasks/update', { taskId, inputResponses: {} })).result).toMatchObject({
    resultType: 'complete',
  })
  bench.open('task')
  const done = await waitFor(async () => {
    const now = await getTask(taskId)
    return now.status === 'completed' && now
  })
  const answer = { label: 'task', starts: 1 }
  expect(done.result).toEqual({
    content: [{ type: 'text', text: JSON.stringify(answer) }],
    structuredContent: answer,
  })
  expect(await app.client.tool('get_job', { job_id: taskId })).toMatchObject({ result: answer })
})

test('a refusal by the tool completes the task, only an unexpected failure fails it', async () => {
  const ends = async (expected: boolean) => {
    const { taskId } = await startTask('run_refused', { expected })
    return waitFor(async () => {
      const task = await getTask(taskId)
      return task.status !== 'working' && task
    })
  }
  const refused = await ends(true)
  expect(refused).toMatchObject({
    status: 'completed',
    result: { isError: true, structuredContent: { code: 'precondition_failed' } },
  })
  expect(refused).not.toHaveProperty('error')
  const failed = await ends(false)
  expect(failed).toMatchObject({ status: 'failed', error: { code: -32603 } })
  expect(failed).not.toHaveProperty('result')
})

test('tasks/cancel stops the job, and does nothing to one that has ended', async () => {
  const { taskId } = await startTask('run_held', { label: 'unwanted' })
  await waitFor(() => bench.isRunning('unwanted'))
  expect((await rpc('tasks/cancel', { taskId })).result).toMatchObject({ resultType: 'complete' })
  await waitFor(async () => (await getTask(taskId)).status === 'cancelled')
  expect(bench.isRunning('unwanted')).toBe(false)
  expect((await rpc('tasks/cancel', { taskId })).result).toMatchObject({ resultType: 'complete' })
  const audited = () =>
    app.database.query(`select outcome from catalyst.audit_log where tool = 'tasks/cancel'`)
  await waitFor(async () => (await audited()).length === 2)
})

test('wrong arguments are a refusal, not a task', async () => {
  expect(await startTask('run_held', {})).toMatchObject({
    isError: true,
    structuredContent: { code: 'invalid_input' },
  })
})

test.each(['tasks/get', 'tasks/cancel', 'tasks/update'])(
  '%s wants the extension, a known task, and a header that agrees',
  async (method) => {
    const { taskId } = await startTask('run_held', { label: method })
    expect((await rpc(method, { taskId }, { extension: false })).error).toMatchObject({
      code: -32021,
      data: { requiredCapabilities: { extensions: { [EXTENSION]: {} } } },
    })
    expect((await rpc(method, { taskId: newId('job') })).error).toMatchObject({ code: -32602 })
    for (const name of [newId('job'), null]) {
      expect(await rpc(method, { taskId }, { name })).toMatchObject({
        status: 400,
        error: { code: -32020 },
      })
    }
    bench.open(method)
  },
)

test('without the extension the same call waits and answers by itself', async () => {
  bench.open('plain')
  const { result } = await rpc(
    'tools/call',
    { name: 'run_held', arguments: { label: 'plain' } },
    { extension: false },
  )
  expect(result).toMatchObject({ structuredContent: { label: 'plain', starts: 1 } })
  expect(result).not.toHaveProperty('taskId')
})
