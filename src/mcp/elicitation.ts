import {
  CLIENT_CAPABILITIES_META_KEY,
  type ClientCapabilities,
  type InputRequiredResult,
  inputRequired,
  inputResponse,
  type Server,
  type ServerContext,
} from '@modelcontextprotocol/server'
import type { ErrorBody } from '../errors.js'
import type { ConfirmationReply } from '../lib/confirmation.js'

/** The one question of a destructive call. */
const KEY = 'confirm'

/** Whether the client of this request can put a form to its user. */
export function canAsk(server: Server, { mcpReq }: ServerContext): boolean {
  const declared: ClientCapabilities | undefined =
    Object(mcpReq.envelope)[CLIENT_CAPABILITIES_META_KEY] ?? server.getClientCapabilities()
  const elicitation = declared?.elicitation
  if (!elicitation) return false
  // Without modes named, forms are meant: 2025-11-25, "Elicitation", Capabilities.
  return 'form' in elicitation || Object.keys(elicitation).length === 0
}

/** The call again, once the user has answered; what the token is good for is checked when it is redeemed. */
export function askForConfirmation({
  message,
  plan,
  confirm_token,
}: ErrorBody): InputRequiredResult {
  return inputRequired({
    inputRequests: {
      [KEY]: inputRequired.elicit({
        message: `${message}\n\n${JSON.stringify(plan, null, 2)}`,
        requestedSchema: {
          type: 'object',
          properties: { [KEY]: { type: 'boolean', title: 'Do it', default: false } },
          required: [KEY],
        },
      }),
    },
    ...(confirm_token === undefined ? {} : { requestState: confirm_token }),
  })
}

/** What became of the question of this call; null when none was asked yet. */
export function replyOf({ mcpReq }: ServerContext): ConfirmationReply | null {
  const token = mcpReq.requestState()
  if (typeof token !== 'string') return null
  const response = inputResponse(mcpReq.inputResponses, KEY)
  if (response.kind !== 'elicit' || response.action !== 'accept') {
    return { token, verdict: 'unanswered' }
  }
  return { token, verdict: response.content?.[KEY] === true ? 'accepted' : 'declined' }
}
