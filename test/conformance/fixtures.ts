import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import { AppError } from '../../src/errors.js'
import { part } from '../../src/kernel/part.js'
import { resourceFor, toolFor } from '../../src/mcp/define.js'

const tool = toolFor<null>()
const resource = resourceFor<null>()
const nothing = z.object({})
const text = z.object({ text: z.string() })
const facts = { effect: 'read', idempotent: true, openWorld: false } as const

const simpleText = tool({
  ...facts,
  name: 'test_simple_text',
  title: 'Simple text',
  description: 'Answers a fixed text.',
  input: nothing,
  output: text,
  run: async () => ({ text: 'This is a simple text response for testing.' }),
})

const errorHandling = tool({
  ...facts,
  name: 'test_error_handling',
  title: 'Error',
  description: 'Always refuses.',
  input: nothing,
  output: text,
  run: async () => {
    throw new AppError(
      'precondition_failed',
      'This tool intentionally returns an error for testing',
    )
  },
})

const toolWithProgress = tool({
  ...facts,
  name: 'test_tool_with_progress',
  title: 'Progress',
  description: 'Reports progress three times while it runs.',
  input: nothing,
  output: text,
  run: async (_, { progress, signal }) => {
    for (const done of [0, 50, 100]) {
      progress(done, 100, `${done} of 100`)
      await delay(50, undefined, { signal })
    }
    return { text: 'done' }
  },
})

const staticText = resource({
  path: 'test://static-text',
  title: 'Static text',
  description: 'A fixed text.',
  input: nothing,
  output: text,
  read: async () => ({ text: 'This is the content of the static text resource.' }),
})

const watched = resource({
  path: 'test://watched-resource',
  title: 'Watched',
  description: 'A resource to subscribe to.',
  input: nothing,
  output: text,
  read: async () => ({ text: 'unchanged' }),
})

const template = resource({
  path: 'test://template/{id}/data',
  title: 'Template',
  description: 'Answers the id of its URI.',
  input: z.object({ id: z.string() }),
  output: z.object({ id: z.string(), templateTest: z.boolean(), data: z.string() }),
  read: async ({ id }) => ({ id, templateTest: true, data: `Data for ID: ${id}` }),
})

/** The referee's fixtures that are ordinary tools and resources: they pass the whole product stack. */
export const fixtures = part({
  name: 'conformance',
  tools: { simpleText, errorHandling, toolWithProgress },
  resources: { staticText, watched, template },
  start: () => null,
})
