import { type Refusal, Refused, SignedOut, type Source, Unreachable } from './source.js'

const ENDPOINT = '/mcp'
const VERSION = '2026-07-28'
const SCHEME = 'catalyst://'
const META = {
  'io.modelcontextprotocol/protocolVersion': VERSION,
  'io.modelcontextprotocol/clientInfo': { name: 'catalyst-db page', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
}

interface Message {
  readonly method?: string
  readonly params?: { readonly uri?: string }
  // biome-ignore lint/suspicious/noExplicitAny: each reader knows what it asked for
  readonly result?: any
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown }
}

/** MCP over HTTP as its revision of 2026-07-28 has it: each request stands for itself, there is no session. */
export class HttpSource implements Source {
  #id = 0

  async read(path: string): Promise<unknown> {
    const uri = SCHEME + path
    const { contents } = await this.#request('resources/read', { uri }, uri)
    return JSON.parse(contents[0].text)
  }

  async call(tool: string, args: Readonly<Record<string, unknown>>) {
    const params = { name: tool, arguments: args }
    const { isError, structuredContent } = await this.#request('tools/call', params, tool)
    if (isError) throw new Refused(structuredContent)
    return structuredContent
  }

  async listen(
    paths: readonly string[],
    told: { readonly began: () => void; readonly changed: (path: string) => void },
    signal: AbortSignal,
  ): Promise<void> {
    const notifications = { resourceSubscriptions: paths.map((path) => SCHEME + path) }
    const response = await this.#send('subscriptions/listen', { notifications }, undefined, signal)
    for await (const { method, params, error } of messagesOf(response)) {
      if (error) throw refusedBy(error)
      if (method === 'notifications/subscriptions/acknowledged') told.began()
      const { uri } = params ?? {}
      if (method === 'notifications/resources/updated' && uri) told.changed(uri.replace(SCHEME, ''))
    }
  }

  async #request(method: string, params: object, name: string) {
    const response = await this.#send(method, params, name)
    for await (const { result, error } of messagesOf(response)) {
      if (error) throw refusedBy(error)
      if (result) return result
    }
    throw new Unreachable('The answer broke off.')
  }

  async #send(method: string, params: object, name?: string, signal?: AbortSignal) {
    const id = ++this.#id
    const response = await fetch(ENDPOINT, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': VERSION,
        'mcp-method': method,
        ...(name === undefined ? {} : { 'mcp-name': name }),
      },
      body: JSON.stringify({ jsonrpc: '2.0', id, method, params: { ...params, _meta: META } }),
      ...(signal ? { signal } : {}),
    }).catch((error: unknown) => {
      throw new Unreachable(String(error))
    })
    if (response.status === 401) throw new SignedOut()
    if (response.status === 403) {
      const message = 'Your token does not allow this.'
      throw new Refused({ code: 'permission_denied', message })
    }
    if (response.status >= 502) throw new Unreachable(response.statusText)
    return response
  }
}

/** The messages of an answer, which is one of them or a stream of events. */
async function* messagesOf(response: Response): AsyncGenerator<Message> {
  try {
    if (!response.headers.get('content-type')?.startsWith('text/event-stream')) {
      yield (await response.json()) as Message
      return
    }
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
    let rest = ''
    for (;;) {
      const { done, value } = (await reader?.read()) ?? { done: true, value: undefined }
      if (done) return
      const events = (rest + value).split(/\r?\n\r?\n/)
      rest = events.pop() ?? ''
      for (const event of events) {
        const data = event
          .split(/\r?\n/)
          .filter((line) => line.startsWith('data:'))
          .map((line) => line.slice(5))
          .join('\n')
        if (data.trim() !== '') yield JSON.parse(data) as Message
      }
    }
  } catch (error) {
    throw new Unreachable(String(error))
  }
}

function refusedBy({ message, data }: NonNullable<Message['error']>): Refused {
  const refusal = Object(data) as Partial<Refusal>
  return new Refused({ code: 'internal_error', ...refusal, message: refusal.message ?? message })
}
