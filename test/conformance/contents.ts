import {
  type CallToolResult,
  type GetPromptResult,
  type InputRequiredResult,
  inputRequired,
  inputResponse,
  type ReadResourceResult,
  type ServerContext,
} from '@modelcontextprotocol/server'

/** One red pixel. */
const PNG =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=='
/** No sound at all, but a header that says so. */
const WAV = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEARKwAAIhYAQACABAAZGF0YQAAAAA='

const image = { type: 'image', data: PNG, mimeType: 'image/png' } as const
const textOf = (text: string) => ({ type: 'text', text }) as const
const embed = (uri: string, mimeType: string, text: string) =>
  ({ type: 'resource', resource: { uri, mimeType, text } }) as const

/** The referee's tools that answer more than text. */
export const contentTools: Readonly<Record<string, CallToolResult>> = {
  test_image_content: { content: [image] },
  test_audio_content: { content: [{ type: 'audio', data: WAV, mimeType: 'audio/wav' }] },
  test_embedded_resource: {
    content: [
      embed('test://embedded-resource', 'text/plain', 'This is an embedded resource content.'),
    ],
  },
  test_multiple_content_types: {
    content: [
      textOf('Multiple content types test:'),
      image,
      embed(
        'test://mixed-content-resource',
        'application/json',
        JSON.stringify({ test: 'data', value: 123 }),
      ),
    ],
  },
}

/** The referee's resource that is not JSON. */
export const binaryResources: Readonly<Record<string, ReadResourceResult>> = {
  'test://static-binary': {
    contents: [{ uri: 'test://static-binary', mimeType: 'image/png', blob: PNG }],
  },
}

interface Prompt {
  readonly description: string
  readonly arguments: readonly string[]
  get(
    args: Readonly<Record<string, string>>,
    ctx: ServerContext,
  ): GetPromptResult | InputRequiredResult
}

type Content = GetPromptResult['messages'][number]['content']

const fromUser = (...contents: Content[]): GetPromptResult => ({
  messages: contents.map((content) => ({ role: 'user', content })),
})

/** The referee's prompts. */
export const prompts: Readonly<Record<string, Prompt>> = {
  test_simple_prompt: {
    description: 'A fixed text.',
    arguments: [],
    get: () => fromUser(textOf('This is a simple prompt for testing.')),
  },
  test_prompt_with_arguments: {
    description: 'Repeats its arguments.',
    arguments: ['arg1', 'arg2'],
    get: ({ arg1, arg2 }) =>
      fromUser(textOf(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)),
  },
  test_prompt_with_embedded_resource: {
    description: 'Embeds a resource.',
    arguments: ['resourceUri'],
    get: ({ resourceUri = '' }) =>
      fromUser(
        embed(resourceUri, 'text/plain', 'Embedded resource content for testing.'),
        textOf('Please process the embedded resource above.'),
      ),
  },
  test_prompt_with_image: {
    description: 'Embeds an image.',
    arguments: [],
    get: () => fromUser(image, textOf('Please analyze the image above.')),
  },
  test_input_required_result_prompt: {
    description: 'Asks the user before it answers.',
    arguments: [],
    get: (_, ctx) => {
      const answer = inputResponse(ctx.mcpReq.inputResponses, 'user_context')
      if (answer.kind === 'elicit') return fromUser(textOf(JSON.stringify(answer.content)))
      const user_context = inputRequired.elicit({
        message: 'What context should the prompt use?',
        requestedSchema: {
          type: 'object',
          properties: { context: { type: 'string' } },
          required: ['context'],
        },
      })
      return inputRequired({ inputRequests: { user_context } })
    },
  },
}
