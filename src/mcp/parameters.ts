import {
  type JSONRPCRequest,
  ProtocolError,
  ProtocolErrorCode,
  type Result,
  Server,
  type ServerContext,
  specTypeSchemas,
} from '@modelcontextprotocol/server'
import { describeIssues } from '../lib/issues.js'

/** A request that is refused for its parameters, as it is to be answered. */
export interface RefusedRequest {
  readonly id: string | number
  readonly code: number
  readonly message: string
}

const isObject = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A request of JSON-RPC, whatever its parameters are. */
const isRequest = ({ jsonrpc, id, method }: Record<string, unknown>): boolean =>
  jsonrpc === '2.0' &&
  typeof method === 'string' &&
  (typeof id === 'string' || Number.isInteger(id))

/**
 * What the SDK would not take for a message, though only its parameters are wrong; null when nothing is.
 * Costs next to nothing where they look like those of most requests.
 */
export function refuseParameters(message: unknown): RefusedRequest | null {
  const request = Object(message)
  const { id, method, params } = request
  if (!isRequest(request) || isPlain(params)) return null
  const { issues } = specTypeSchemas.JSONRPCRequest['~standard'].validate(request)
  return issues ? { id, ...refusal(method, issues) } : null
}

/** The same of a handshake of the 2025 era, before there is a server that could look at it. */
export function refuseHandshake(message: unknown): RefusedRequest | null {
  const request = Object(message)
  const { id, method } = request
  if (!isRequest(request) || method !== 'initialize') return null
  const { issues } = specTypeSchemas.InitializeRequest['~standard'].validate(request)
  return issues ? { id, ...refusal(method, issues) } : null
}

function isPlain(params: unknown): boolean {
  if (params === undefined) return true
  if (!isObject(params)) return false
  const { _meta } = Object(params)
  const isUsual = isObject(_meta) && !('progressToken' in _meta) && !(RELATED_TASK in _meta)
  return _meta === undefined || isUsual
}

const RELATED_TASK = 'io.modelcontextprotocol/related-task'

type Issues = Parameters<typeof describeIssues>[0]['issues']

const refusal = (method: string, issues: Issues) => ({
  code: ProtocolErrorCode.InvalidParams,
  message: `Invalid params of ${method.slice(0, 64)}: ${describeIssues({ issues }, 'params')}`,
})

/** The SDK's server, which answers wrong parameters with what its validator has to say about them. */
export class PlainServer extends Server {
  protected override _wrapHandler(method: string, handler: Handler): Handler {
    const wrapped = super._wrapHandler(method, handler)
    return async (request, ctx) => {
      try {
        return await wrapped(request, ctx)
      } catch (error) {
        const issues = issuesIn(error)
        if (!issues) throw error
        const { code, message } = refusal(method, issues)
        throw new ProtocolError(code, message)
      }
    }
  }
}

type Handler = (request: JSONRPCRequest, ctx: ServerContext) => Promise<Result>

/** The list that the validator makes the text of its error, as JSON. */
function issuesIn(error: unknown): Issues | null {
  const [, list] = /^(?:Invalid tools\/call request: )?(\[\s*\{.*\}\s*\])$/s.exec(
    error instanceof Error ? error.message : '',
  ) ?? [null, null]
  if (!list) return null
  try {
    return JSON.parse(list)
  } catch {
    return null
  }
}
