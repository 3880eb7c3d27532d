import { expect, test } from 'vitest'
import { z } from 'zod'
import { part } from '../../src/kernel/part.js'
import { jobToolFor, toolFor } from '../../src/mcp/define.js'
import { startApp } from '../support/app.js'
import { waitFor } from '../support/wait-for.js'

/** What was committed of the audit while the tool acted. */
const seenWhileActing: unknown[] = []

const facts = {
  title: 'Clear a shelf',
  description: 'Throws away every book of a shelf.',
  effect: 'destroy',
  idempotent: true,
  openWorld: false,
  input: z.object({ shelf: z.string() }),
  output: z.object({ cleared: z.boolean() }),
  confirm: async ({ shelf }: { shelf: string }) => ({
    message: 'Sure?',
    plan: { shelf, books: 3 },
  }),
  run: async () => {
    seenWhileActing.push(...(await entries()))
    return { cleared: true }
  },
} as const

const tools = {
  clear: toolFor<null>()({ ...facts, name: 'clear' }),
  clearSlowly: jobToolFor<null>()({ ...facts, name: 'clear_slowly', onRestart: 'fail' }),
}
const { client, database } = await startApp({
  parts: [part({ name: 'library', tools, start: () => null })],
})

/** In the chain or on its way there; either is committed. */
const entries = () =>
  database.query<{ request_id: string; tool: string; outcome: string; plan: string }>(`
    select request_id, tool, outcome, plan from catalyst.audit_log where outcome <> 'confirmation_required'
    union all
    select e.request_id, e.tool, e.outcome, e.plan
    from catalyst.audit_outbox, jsonb_to_record(entry)
      as e (request_id text, tool text, outcome text, plan text)`)

test.each(['clear', 'clear_slowly'])(
  '%s: what was confirmed is in the audit before it is done, and how it ended after it',
  async (name) => {
    seenWhileActing.length = 0
    const { confirm_token } = await client.refused(name, { shelf: name })
    await client.tool(name, { shelf: name, confirm_token })
    const ours = (seenWhileActing as Awaited<ReturnType<typeof entries>>).filter(
      ({ tool }) => tool === name,
    )
    expect(ours).toEqual([
      {
        request_id: expect.stringMatching(/./),
        tool: name,
        outcome: 'intended',
        plan: JSON.stringify({ books: 3, shelf: name }),
      },
    ])
    const ended = name === 'clear' ? ['ok'] : ['job succeeded', 'ok']
    const { request_id } = ours[0] ?? {}
    await waitFor(async () => {
      const all = (await entries()).filter((entry) => entry.request_id === request_id)
      return ended.every((outcome) => all.some((entry) => entry.outcome === outcome))
    })
  },
)

test('a token is never in it, nor is one that was not good an intention', async () => {
  const { confirm_token = '' } = await client.refused('clear', { shelf: 'other' })
  await client.refused('clear', { shelf: 'another', confirm_token })
  expect((await entries()).some(({ plan }) => plan?.includes('another'))).toBe(false)
  const rows = await waitFor(async () => {
    const found = await database.query<{ text: string }>(
      `select a::text as text from catalyst.audit_log a where outcome = 'invalid_input'`,
    )
    return found.length > 0 && found
  })
  expect(JSON.stringify(rows)).not.toContain(confirm_token)
})
