import { Agent, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { MODERN, MODERN_META, resultOf } from './rpc.mjs'

/**
 * Streamable HTTP of the newer era over connections that are kept, without an SDK: what the client
 * does itself is next to nothing beside the server's work.
 */
export class RawHttp {
  #url
  #agent
  #lastId = 0

  constructor(url, connections) {
    this.#url = url
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections })
  }

  /** Calls a tool; answers its structured content. */
  async call(name, args) {
    return (await this.#request('tools/call', name, { name, arguments: args })).structuredContent
  }

  /** Reads a resource; answers its JSON. */
  async read(uri) {
    const { contents } = await this.#request('resources/read', uri, { uri })
    return JSON.parse(contents[0].text)
  }

  /** Lists the tools. */
  listTools() {
    return this.#request('tools/list', null, {})
  }

  /** Opens a stream of updates; answers once the server has acknowledged it. */
  async listen(uri, onUpdate) {
    const params = { notifications: { resourceSubscriptions: [uri] } }
    const { response } = await this.#post('subscriptions/listen', null, params)
    response.setEncoding('utf8')
    const acknowledged = new Promise((resolve, reject) => {
      let rest = ''
      response.on('data', (chunk) => {
        const lines = (rest + chunk).split('\n')
        rest = lines.pop() ?? ''
        for (const line of lines) {
          if (!line.startsWith('data:')) continue
          const { method } = JSON.parse(line.slice(5))
          if (method === 'notifications/resources/updated') onUpdate()
          else if (method?.includes('acknowledged')) resolve()
        }
      })
      response.once('close', () => reject(new Error('the stream ended')))
    })
    await acknowledged
  }

  /** Drops every connection. */
  close() {
    this.#agent.destroy()
  }

  async #request(method, name, params) {
    const { response } = await this.#post(method, name, params)
    return resultOf(messageIn(await text(response)))
  }

  #post(method, name, params) {
    const id = ++this.#lastId
    const body = JSON.stringify({
      jsonrpc: '2.0',
      id,
      method,
      params: { ...params, _meta: MODERN_META },
    })
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': MODERN,
      'mcp-method': method,
      ...(name === null ? {} : { 'mcp-name': name }),
    }
    return new Promise((resolve, reject) => {
      const sent = request(this.#url, { method: 'POST', agent: this.#agent, headers })
      sent.once('error', reject)
      sent.once('response', (response) => resolve({ response }))
      sent.end(body)
    })
  }
}

/** The answer, which the server may send as JSON or as the last event of a stream. */
function messageIn(body) {
  if (body.startsWith('{')) return JSON.parse(body)
  const data = body.split('\n').filter((line) => line.startsWith('data:'))
  return JSON.parse(data.at(-1)?.slice(5) ?? 'null')
}
