import {
  type CallToolResult,
  CLIENT_CAPABILITIES_META_KEY,
  type ClientCapabilities,
  createRequestStateCodec,
  type InputRequests,
  type InputRequiredResult,
  inputRequired,
  inputResponse,
  ProtocolError,
  ProtocolErrorCode,
  type ServerContext,
} from '@modelcontextprotocol/server'

type Arguments = Readonly<Record<string, unknown>>

/** A tool that asks the client something before it answers. */
export interface AskingTool {
  /** What is asked, round by round. */
  readonly rounds: readonly ((args: Arguments, ctx: ServerContext) => InputRequests)[]
  /** How many rounds were answered travels through the client, signed. */
  readonly signed?: boolean
  readonly properties?: Readonly<Record<string, { type: 'string' }>>
}

type Elicitation = Parameters<typeof inputRequired.elicit>[0]['requestedSchema']

const elicit = (message: string, requestedSchema: Elicitation) =>
  inputRequired.elicit({ message, requestedSchema })

const askText = (message: string, name: string) =>
  elicit(message, { type: 'object', properties: { [name]: { type: 'string' } }, required: [name] })

const askOk = () =>
  elicit('Please confirm', {
    type: 'object',
    properties: { ok: { type: 'boolean' } },
    required: ['ok'],
  })

const sample = (text: string, maxTokens: number) =>
  inputRequired.createMessage({
    messages: [{ role: 'user', content: { type: 'text', text } }],
    maxTokens,
  })

const askName = () => ({ user_name: askText('What is your name?', 'name') })
const askCapital = () => ({ capital_question: sample('What is the capital of France?', 100) })

/** Asks only what this request's client said it can answer. */
function askWhatClientCan(_: Arguments, ctx: ServerContext): InputRequests {
  const declared: ClientCapabilities = Object(ctx.mcpReq.envelope)[CLIENT_CAPABILITIES_META_KEY]
  return {
    ...(declared.elicitation ? askName() : {}),
    ...(declared.sampling ? askCapital() : {}),
  }
}

const askUser = ({ message }: Arguments) => ({
  user: elicit(String(message), {
    type: 'object',
    properties: {
      username: { type: 'string', description: "User's response" },
      email: { type: 'string', description: "User's email address" },
    },
    required: ['username', 'email'],
  }),
})

const askWithDefaults = () => ({
  user: elicit('Please review and update the form fields with defaults', {
    type: 'object',
    properties: {
      name: { type: 'string', default: 'John Doe' },
      age: { type: 'integer', default: 30 },
      score: { type: 'number', default: 95.5 },
      status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
      verified: { type: 'boolean', default: true },
    },
    required: [],
  }),
})

const titled = (...titles: string[]) =>
  titles.map((title, index) => ({ const: `value${index + 1}`, title }))

const askEnums = () => ({
  user: elicit('Please select options from the enum fields', {
    type: 'object',
    properties: {
      untitledSingle: { type: 'string', enum: ['option1', 'option2', 'option3'] },
      titledSingle: { type: 'string', oneOf: titled('First Option', 'Second Option') },
      legacyEnum: { type: 'string', enum: ['opt1', 'opt2'], enumNames: ['One', 'Two'] },
      untitledMulti: { type: 'array', items: { type: 'string', enum: ['option1', 'option2'] } },
      titledMulti: { type: 'array', items: { anyOf: titled('First Choice', 'Second Choice') } },
    },
    required: [],
  }),
})

/** The referee's asking tools: 2025 clients are asked over the session, 2026 clients retry the call. */
export const askingTools: Readonly<Record<string, AskingTool>> = {
  test_elicitation: { rounds: [askUser], properties: { message: { type: 'string' } } },
  test_elicitation_sep1034_defaults: { rounds: [askWithDefaults] },
  test_elicitation_sep1330_enums: { rounds: [askEnums] },
  test_sampling: {
    rounds: [({ prompt }) => ({ answer: sample(String(prompt), 100) })],
    properties: { prompt: { type: 'string' } },
  },
  test_missing_capability: { rounds: [askCapital] },
  test_streaming_elicitation: { rounds: [askName] },
  test_input_required_result_elicitation: { rounds: [askName] },
  test_input_required_result_sampling: { rounds: [askCapital] },
  test_input_required_result_list_roots: {
    rounds: [() => ({ client_roots: inputRequired.listRoots() })],
  },
  test_input_required_result_capabilities: { rounds: [askWhatClientCan] },
  test_input_required_result_request_state: {
    rounds: [() => ({ confirm: askOk() })],
    signed: true,
  },
  test_input_required_result_tampered_state: {
    rounds: [() => ({ confirm: askOk() })],
    signed: true,
  },
  test_input_required_result_multiple_inputs: {
    rounds: [
      () => ({
        ...askName(),
        greeting: sample('Generate a greeting', 50),
        client_roots: inputRequired.listRoots(),
      }),
    ],
    signed: true,
  },
  test_input_required_result_multi_round: {
    rounds: [
      () => ({ step1: askText('Step 1: What is your name?', 'name') }),
      () => ({ step2: askText('Step 2: What is your favorite color?', 'color') }),
    ],
    signed: true,
  },
}

const states = createRequestStateCodec<number>({ key: crypto.getRandomValues(new Uint8Array(32)) })

/** Asks the round that is due, or answers when every round has been answered. */
export async function runAskingTool(
  { rounds, signed = false }: AskingTool,
  args: Arguments,
  ctx: ServerContext,
): Promise<CallToolResult | InputRequiredResult> {
  const state = signed ? await readState(ctx) : 0
  const asked = rounds[state ?? 0]?.(args, ctx) ?? {}
  const isAnswered = state !== undefined && areAnswered(asked, ctx)
  const round = (state ?? 0) + (isAnswered ? 1 : 0)
  const questions = rounds[round]
  if (!questions) return finish(signed, ctx)
  return inputRequired({
    inputRequests: questions(args, ctx),
    ...(signed ? { requestState: await states.mint(round) } : {}),
  })
}

const finish = (signed: boolean, ctx: ServerContext): CallToolResult => ({
  content: [
    {
      type: 'text',
      text: `${signed ? 'state-ok ' : ''}${JSON.stringify(ctx.mcpReq.inputResponses)}`,
    },
  ],
})

async function readState(ctx: ServerContext): Promise<number | undefined> {
  const state = ctx.mcpReq.requestState()
  if (typeof state !== 'string') return undefined
  try {
    return await states.verify(state, ctx)
  } catch {
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'Invalid or expired requestState')
  }
}

const areAnswered = (asked: InputRequests, ctx: ServerContext): boolean =>
  Object.keys(asked).every(
    (key) => inputResponse(ctx.mcpReq.inputResponses, key).kind !== 'missing',
  )
