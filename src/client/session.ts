import { randomUUID } from 'node:crypto'
import type { Client } from '@modelcontextprotocol/client'
import { Connection, type Target } from './connection.js'
import { ToolError, type ToolErrorBody } from './errors.js'
import type { Resources, Tools } from './served.js'

export type { Target } from './connection.js'

/** How far a long operation is. */
export interface Progress {
  readonly done: number
  readonly total: number
  readonly message: string
}

/** A long operation as the server tells of it. */
export interface Job {
  readonly job_id: string
  readonly tool: string
  readonly state: 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled'
  readonly progress: Progress | null
  readonly result: Record<string, unknown> | null
  readonly error: ToolErrorBody | null
}

/** How one call is made. */
export interface CallOptions {
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: Progress) => void
  /** False answers `{status: "running", job_id}` instead of waiting for the end of a long operation. */
  readonly wait?: boolean
}

/** One event of the log. */
export interface PublishedEvent {
  readonly seq: number
  readonly type: string
  readonly at: string
  readonly data: Record<string, unknown>
}

/** Arguments of a tool that the registry knows, or of any other. */
type Arguments<N extends string> = N extends keyof Tools
  ? Tools[N]['arguments']
  : Record<string, unknown>
type Answer<N extends string> = N extends keyof Tools ? Tools[N]['answer'] : Record<string, unknown>
type PathOf<U extends string> = U extends `catalyst://${infer P}?${string}`
  ? P
  : U extends `catalyst://${infer P}`
    ? P
    : U extends `${infer P}?${string}`
      ? P
      : U
/** `news/{news_id}` as the texts that it stands for. */
type Filled<K extends string> = K extends `${infer A}{${string}}${infer B}`
  ? `${A}${string}${Filled<B>}`
  : K
type Template<P extends string> = {
  [K in keyof Resources]: P extends Filled<K> ? K : never
}[keyof Resources]
type ResourceOf<P extends string> = P extends keyof Resources
  ? Resources[P]
  : [Template<P>] extends [never]
    ? Record<string, unknown>
    : Resources[Template<P>]
type ResourceAnswer<U extends string> = ResourceOf<PathOf<U>>

/** What can be done inside a transaction: it is committed together, or not at all. */
export interface Transaction {
  tool<N extends string>(name: N, args?: Arguments<N>): Promise<Answer<N>>
  /** Reads within the transaction's snapshot. */
  resource<U extends string>(uri: U): Promise<ResourceAnswer<U>>
}

/** Attempts at a call that may be repeated, over about half a minute. */
const ATTEMPTS = 10
const WAIT_MS = 25_000
const FOLLOW_MS = 1_000

/**
 * A connection to a catalyst-db server that outlives restarts of it: what may be sent again is, with the
 * idempotency key of the first time, so that nothing is lost and nothing doubled.
 */
export class MCPSession {
  readonly #connection: Connection
  /** Which tools may be repeated as they are, and which with a key; asked once. */
  #tools: Promise<ReadonlyMap<string, { repeatable: boolean; keyed: boolean }>> | null = null

  private constructor(connection: Connection) {
    this.#connection = connection
  }

  /** Connects; `name` says in the server's records who this is. */
  static async open(target: Target): Promise<MCPSession>
  static async open(name: string, target: Target): Promise<MCPSession>
  static async open(first: string | Target, second?: Target): Promise<MCPSession> {
    const name = typeof first === 'string' ? first : 'catalyst-db client'
    const target = typeof first === 'string' ? second : first
    if (!target) throw new TypeError('MCPSession.open needs {url} or {command}.')
    const connection = new Connection(name, target)
    try {
      await connection.use(() => Promise.resolve(), { attempts: 1 })
    } catch (error) {
      await connection.close()
      throw error
    }
    return new MCPSession(connection)
  }

  /** Reads a resource by its path or URI, such as `db/status` or `news?symbol=AAPL`. */
  resource<U extends string>(
    uri: U,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<ResourceAnswer<U>> {
    const read = async (client: Client) => {
      const { contents } = await client.readResource({ uri })
      const text = contents[0] && 'text' in contents[0] ? contents[0].text : 'null'
      return JSON.parse(String(text)) as ResourceAnswer<U>
    }
    return this.#connection.use(read, { attempts: ATTEMPTS, signal })
  }

  /**
   * Calls a tool and answers what it has done, however long that takes. Tools that take an
   * `idempotency_key` get one, so that a call whose answer was lost is sent again without doing it twice.
   *
   * @throws ToolError when the server refuses; `confirmation_required` comes with its plan and token
   */
  async tool<N extends string>(
    name: N,
    args?: Arguments<N>,
    options: CallOptions = {},
  ): Promise<Answer<N>> {
    const { repeatable, keyed } = (await this.#known()).get(name) ?? NEITHER
    const sent: Record<string, unknown> = {
      ...(keyed ? { idempotency_key: randomUUID() } : {}),
      ...(args as object | undefined),
    }
    const answer = await this.#connection.use((client) => call(client, name, sent, options), {
      attempts: repeatable || sent.idempotency_key !== undefined ? ATTEMPTS : 1,
      signal: options.signal,
    })
    if (answer.status !== 'running' || options.wait === false) return answer as Answer<N>
    return (await this.job(String(answer.job_id), options)) as Answer<N>
  }

  /**
   * Waits for the end of a long operation and answers its result.
   *
   * @throws ToolError when it failed or was cancelled
   */
  async job(jobId: string, options: CallOptions = {}): Promise<Record<string, unknown>> {
    const { signal, onProgress } = options
    for (;;) {
      const look = (client: Client) =>
        call(client, 'get_job', { job_id: jobId, wait_ms: onProgress ? FOLLOW_MS : WAIT_MS }, {})
      const job = (await this.#connection.use(look, {
        attempts: ATTEMPTS,
        signal,
      })) as unknown as Job
      if (job.progress) onProgress?.(job.progress)
      if (job.state === 'succeeded') return job.result ?? {}
      if (job.state === 'failed' || job.state === 'cancelled') {
        throw new ToolError(job.tool, job.error ?? cancelled(jobId))
      }
    }
  }

  /**
   * Runs `work` in one database transaction: committed when it returns, rolled back when it throws. When
   * the answer to the commit is lost, it is asked for again until it is known.
   */
  async transaction<T>(
    work: (tx: Transaction) => Promise<T>,
    options: {
      readonly isolation_level?: 'read_committed' | 'repeatable_read' | 'serializable'
      readonly read_only?: boolean
    } = {},
  ): Promise<T> {
    const { session_id } = (await this.tool('start_db_session', options)) as {
      session_id: string
    }
    const once = (name: string, args: Record<string, unknown>) =>
      this.#connection.use((client) => call(client, name, { ...args, session_id }, {}), {
        attempts: 1,
      })
    const tx: Transaction = {
      tool: async (name, args) => (await once(name, { ...args })) as never,
      resource: async (uri) => {
        const operations = [{ resource: uri }]
        const { results } = await once('execute_transaction', { operations, commit: false })
        return (results as never[])[0] as never
      },
    }
    let result: T
    try {
      result = await work(tx)
    } catch (error) {
      // Why it failed is what is to be told; a session that is gone has rolled back by itself.
      await once('end_db_session', { outcome: 'rollback' }).catch(() => {})
      throw error
    }
    await this.tool('end_db_session', { session_id, outcome: 'commit' })
    return result
  }

  /**
   * The events of the log, in order and without a gap, however often the connection is lost: from now on,
   * or all that came after the `seq` of one that was seen.
   *
   * @throws ToolError `precondition_failed` when some of them are no longer kept
   */
  async *events(
    options: {
      readonly types?: readonly string[]
      readonly after?: number
      readonly signal?: AbortSignal
    } = {},
  ): AsyncGenerator<PublishedEvent, void, undefined> {
    const { types, signal } = options
    let { after } = options
    while (!signal?.aborted) {
      const args = {
        ...(types ? { types } : {}),
        ...(after === undefined ? { limit: 1 } : { after, wait_ms: WAIT_MS }),
      }
      const read = (client: Client) =>
        call(client, 'list_events', args, { ...(signal && { signal }) })
      let page: Record<string, unknown>
      try {
        page = await this.#connection.use(read, { attempts: Number.POSITIVE_INFINITY, signal })
      } catch (error) {
        if (signal?.aborted) return
        throw error
      }
      const isStart = after === undefined
      if (after && Number(page.oldest_seq ?? 0) > after + 1)
        throw new ToolError('list_events', gone(after))
      after = Number(page.next_cursor)
      if (!isStart) yield* page.events as PublishedEvent[]
    }
  }

  /** Ends the connection. */
  close(): Promise<void> {
    return this.#connection.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #known() {
    this.#tools ??= this.#connection
      .use((client) => client.listTools(), { attempts: ATTEMPTS })
      .then(
        ({ tools }) =>
          new Map(
            tools.map(({ name, annotations, inputSchema }) => [
              name,
              {
                repeatable: Boolean(annotations?.readOnlyHint || annotations?.idempotentHint),
                keyed: 'idempotency_key' in Object(inputSchema.properties),
              },
            ]),
          ),
      )
      .catch((error: unknown) => {
        this.#tools = null
        throw error
      })
    return this.#tools
  }
}

const NEITHER = { repeatable: false, keyed: false }

async function call(
  client: Client,
  name: string,
  args: Record<string, unknown>,
  { signal, onProgress }: CallOptions,
): Promise<Record<string, unknown>> {
  const { isError, structuredContent } = await client.callTool(
    { name, arguments: args },
    {
      ...(signal ? { signal } : {}),
      ...(onProgress
        ? {
            onprogress: ({ progress: done, total = 0, message = '' }) =>
              onProgress({ done, total, message }),
          }
        : {}),
    },
  )
  const body = Object(structuredContent)
  if (isError) throw new ToolError(name, body as ToolErrorBody)
  return body
}

const gone = (after: number): ToolErrorBody => ({
  code: 'precondition_failed',
  message: `Events that came after ${after} are no longer kept.`,
  hint: 'Read what is stored now, then go on without "after".',
  retryable: false,
  reference: '',
})

const cancelled = (reference: string): ToolErrorBody => ({
  code: 'cancelled',
  message: 'The operation was cancelled.',
  hint: null,
  retryable: true,
  reference,
})
