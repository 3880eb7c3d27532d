import { join } from 'node:path'
import { inject, onTestFinished } from 'vitest'
import { type App, openApp } from '../../src/app.js'
import { loadConfig } from '../../src/config.js'
import { Door } from '../../src/mcp/access/door.js'
import { HttpEndpoint } from '../../src/mcp/http.js'
import { createLog } from '../../src/platform/log.js'
import { type Era, TestClient, ToolError } from '../support/app.js'
import { endsWithFile } from '../support/end-of-file.js'

/** The product on a database that the test brings along. */
export interface Served {
  readonly url: string
  readonly app: App
  connect(era?: Era): Promise<TestClient>
  close(): Promise<void>
}

/** Serves until the end of the test. */
export async function serve(databaseUrl: string, env: Record<string, string> = {}) {
  const served = await open(databaseUrl, env)
  onTestFinished(() => served.close())
  return served
}

/** Serves until `close`. */
export async function open(databaseUrl: string, env: Record<string, string> = {}): Promise<Served> {
  const config = loadConfig({
    DATABASE_URL: databaseUrl,
    REDIS_URL: `unix://${inject('redisPath')}`,
    LOG_LEVEL: process.env.TEST_LOG_LEVEL ?? 'silent',
    // Not what whoever runs the tests keeps at home.
    CATALYST_DATA_DIR: join(inject('scratch'), 'data'),
    ...env,
  })
  const log = createLog(config.LOG_LEVEL)
  const app = await openApp(config, log)
  const endpoint = new HttpEndpoint({
    serving: app.serving,
    log,
    door: Door.unlocked(),
    notReady: app.notReady,
  })
  const url = await endpoint.listen('127.0.0.1', 0)
  const clients: TestClient[] = []
  const close = endsWithFile(async () => {
    await Promise.all(clients.map((client) => client.close().catch(() => {})))
    await endpoint.close()
    await app.close()
  })
  return {
    url,
    app,
    connect: async (era = 'modern') => {
      const client = await TestClient.connect(url, era)
      clients.push(client)
      return client
    },
    close,
  }
}

/** What repeating a call came to. */
export interface Repeated {
  // biome-ignore lint/suspicious/noExplicitAny: answers are asserted field by field, not typed
  readonly answer: any
  /** The codes of the refusals before it. */
  readonly refusals: readonly string[]
}

/** Sends the same call until it is answered, as a client with an idempotency key may. */
export async function repeat(
  client: TestClient,
  tool: string,
  args: Record<string, unknown>,
  withinMs = 120_000,
): Promise<Repeated> {
  const refusals: string[] = []
  const deadline = Date.now() + withinMs
  for (;;) {
    try {
      return { answer: await client.tool(tool, args), refusals }
    } catch (error) {
      if (!(error instanceof ToolError) || !error.body.retryable) throw error
      refusals.push(error.body.code)
      if (Date.now() > deadline) throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}
