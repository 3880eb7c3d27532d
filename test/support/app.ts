import { join } from 'node:path'
import {
  Client,
  type ElicitResult,
  StreamableHTTPClientTransport,
} from '@modelcontextprotocol/client'
import { inject } from 'vitest'
import { openApp } from '../../src/app.js'
import { loadConfig } from '../../src/config.js'
import type { ErrorBody } from '../../src/errors.js'
import type { Part } from '../../src/kernel/part.js'
import { openDoor } from '../../src/mcp/access/open-door.js'
import { HttpEndpoint } from '../../src/mcp/http.js'
import type { Notifications } from '../../src/mcp/notifications.js'
import type { Serving } from '../../src/mcp/server.js'
import { createLog } from '../../src/platform/log.js'
import { createDatabase, type TestDatabase } from './database.js'
import { endsWithFile } from './end-of-file.js'

/** The two protocol eras: 2025-11-25 and 2026-07-28. */
export type Era = 'legacy' | 'modern'

/** What the user of a client says to a question; a client without one cannot be asked. */
export type Answer = (question: string) => ElicitResult

/** The product, served over HTTP, with a client of the official SDK connected to it. */
export interface TestApp {
  readonly url: string
  readonly client: TestClient
  readonly database: TestDatabase
  connect(era: Era, answer?: Answer): Promise<TestClient>
  close(): Promise<void>
}

/** Starts the product on a database of its own; everything is disposed after the test file. */
export async function startApp(
  options: {
    env?: Record<string, string>
    parts?: readonly Part<unknown>[]
    /** Makes the product's hook for extra handlers; the bus reaches every open listen stream. */
    extend?: (bus: Notifications['bus']) => NonNullable<Serving['extend']>
    /** Another server on the database of the first one. */
    database?: TestDatabase
    /** Of its clients. */
    token?: string
  } = {},
): Promise<TestApp> {
  const database = options.database ?? (await createDatabase())
  const config = loadConfig({
    DATABASE_URL: database.url,
    REDIS_URL: `unix://${inject('redisPath')}`,
    LOG_LEVEL: 'silent',
    // Not what whoever runs the tests keeps at home.
    CATALYST_DATA_DIR: join(inject('scratch'), 'data'),
    ...options.env,
  })
  const log = createLog(config.LOG_LEVEL)
  const app = await openApp(config, log, options.parts)
  const extend = options.extend?.(app.serving.notifications.bus)
  const endpoint = new HttpEndpoint({
    serving: { ...app.serving, ...(extend ? { extend } : {}) },
    door: await openDoor(config),
    log,
    notReady: app.notReady,
    metrics: app.metrics,
  })
  const url = await endpoint.listen('127.0.0.1', 0)
  const clients: TestClient[] = []
  const connect = async (era: Era, answer?: Answer) => {
    const client = await TestClient.connect(url, era, answer, options.token)
    clients.push(client)
    return client
  }
  const close = endsWithFile(async () => {
    await Promise.all(clients.map((client) => client.close()))
    await Promise.all([app.drain(), endpoint.close()])
    await app.close()
    if (!options.database) await database.drop()
  })
  return {
    url,
    client: await connect('modern'),
    database,
    connect,
    close,
  }
}

/** A refused tool call, with the error as the client received it. */
export class ToolError extends Error {
  readonly body: ErrorBody
  constructor(body: ErrorBody) {
    super(`${body.code}: ${body.message}`)
    this.body = body
  }
}

/** The official client with the two calls the tests make most. */
export class TestClient {
  readonly sdk: Client

  private constructor(sdk: Client) {
    this.sdk = sdk
  }

  /** Connects over Streamable HTTP in one protocol era. */
  static async connect(
    url: string,
    era: Era,
    answer?: Answer,
    token?: string,
  ): Promise<TestClient> {
    const sdk = new Client(
      { name: 'test', version: '0' },
      {
        ...(era === 'modern' ? { versionNegotiation: { mode: { pin: '2026-07-28' } } } : {}),
        ...(answer ? { capabilities: { elicitation: { form: {} } } } : {}),
      },
    )
    if (answer) {
      sdk.setRequestHandler('elicitation/create', ({ params }) => answer(params.message))
    }
    const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {}
    await sdk.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }))
    return new TestClient(sdk)
  }

  /** A client that is connected already. */
  static around(sdk: Client): TestClient {
    return new TestClient(sdk)
  }

  /** The structured answer; throws `ToolError` when the tool refused. */
  // biome-ignore lint/suspicious/noExplicitAny: answers are asserted field by field, not typed
  async tool(name: string, args: Record<string, unknown> = {}): Promise<any> {
    const result = await this.sdk.callTool({ name, arguments: args })
    if (result.isError) throw new ToolError(JSON.parse(textOf(result.content)))
    return result.structuredContent
  }

  /** The error of a call that must be refused. */
  async refused(name: string, args: Record<string, unknown> = {}): Promise<ErrorBody> {
    try {
      await this.tool(name, args)
    } catch (error) {
      if (error instanceof ToolError) return error.body
      throw error
    }
    throw new Error(`${name} was not refused`)
  }

  /** A resource's JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: answers are asserted field by field, not typed
  async resource(uri: string, options: { signal?: AbortSignal } = {}): Promise<any> {
    const { contents } = await this.sdk.readResource({ uri }, options)
    const [first] = contents
    if (!first || !('text' in first)) throw new Error(`${uri} answered without text`)
    return JSON.parse(first.text)
  }

  close(): Promise<void> {
    return this.sdk.close()
  }
}

function textOf(content: unknown): string {
  const [first] = Array.isArray(content) ? content : []
  return first?.type === 'text' ? first.text : ''
}
