import { expect, test } from 'vitest'
import { z } from 'zod'
import { part } from '../../src/kernel/part.js'
import { jobToolFor, toolFor } from '../../src/mcp/define.js'
import { type Answer, type Era, startApp, type TestClient } from '../support/app.js'
import { waitFor } from '../support/wait-for.js'

/** Something that can be lost: shelves with a number of books each. */
const shelves = new Map<string, number>()
const cleared: { shelf: string; plan: string | null }[] = []

const facts = {
  title: 'Clear a shelf',
  description: 'Throws away every book of one shelf; asks first unless the shelf is empty.',
  effect: 'destroy',
  idempotent: true,
  openWorld: false,
  input: z.object({ shelf: z.string(), note: z.string().optional() }),
  output: z.object({ cleared: z.int() }),
} as const

const confirm = async ({ shelf }: { shelf: string }) => {
  const books = shelves.get(shelf) ?? 0
  return books === 0 ? null : { message: `${books} books will be lost.`, plan: { shelf, books } }
}

const run = async ({ shelf }: { shelf: string }, call: { confirmedPlan: string | null }) => {
  const books = shelves.get(shelf) ?? 0
  cleared.push({ shelf, plan: call.confirmedPlan })
  shelves.set(shelf, 0)
  return { cleared: books }
}

const tools = {
  clear: toolFor<null>()({ ...facts, name: 'clear_shelf', confirm, run }),
  clearSlowly: jobToolFor<null>()({
    ...facts,
    name: 'clear_shelf_slowly',
    onRestart: 'fail',
    confirm,
    run,
  }),
}

const library = part({ name: 'library', tools, start: () => null })
const { client, connect, database } = await startApp({ parts: [library] })
const second = await startApp({ database, parts: [library] })

const NAMES = ['clear_shelf', 'clear_shelf_slowly']
const eras: Era[] = ['modern', 'legacy']
const answers: Record<string, Answer> = {
  yes: () => ({ action: 'accept', content: { confirm: true } }),
  no: () => ({ action: 'accept', content: { confirm: false } }),
  dismissed: () => ({ action: 'cancel' }),
  refused: () => ({ action: 'decline' }),
}
const answer = (kind: string): Answer => answers[kind] ?? (() => ({ action: 'cancel' }))

let count = 0
const newShelf = (books = 3) => {
  const shelf = `shelf-${count++}`
  shelves.set(shelf, books)
  return shelf
}

const outcomesOf = (tool: string) =>
  database.query<{ outcome: string; confirmed_by: string | null }>(
    `select outcome, confirmed_by from catalyst.audit_log where tool = '${tool}' order by audit_id`,
  )

test.each(NAMES)(
  '%s: a client that cannot ask gets the plan and a token good for one call',
  async (name) => {
    const shelf = newShelf()
    const refused = await client.refused(name, { shelf })
    expect(refused).toMatchObject({
      code: 'confirmation_required',
      message: '3 books will be lost.',
      hint: expect.stringContaining('confirm_token'),
      retryable: false,
      confirm_token: expect.stringMatching(/^confirm_[0-9a-f]{32}$/),
      plan: { shelf, books: 3 },
    })
    expect(Date.parse(refused.expires_at ?? '')).toBeGreaterThan(Date.now())
    expect(shelves.get(shelf)).toBe(3)
    const confirm_token = refused.confirm_token
    expect(await client.tool(name, { shelf, confirm_token })).toEqual({ cleared: 3 })
    expect(cleared.at(-1)?.plan).toMatch(/^[0-9a-f]{64}$/)
    shelves.set(shelf, 3)
    expect(await client.refused(name, { shelf, confirm_token })).toMatchObject({
      code: 'invalid_input',
      message: expect.stringContaining('confirm_token'),
    })
    expect(shelves.get(shelf)).toBe(3)
  },
)

test.each(NAMES)(
  '%s: a token is good for its arguments, plan and tool alone, on any server',
  async (name) => {
    const shelf = newShelf()
    const { confirm_token } = await client.refused(name, { shelf })
    const other = NAMES.find((each) => each !== name) ?? ''
    const wrong: [string, Record<string, unknown>][] = [
      [name, { shelf: newShelf(), confirm_token }],
      [name, { shelf, note: 'x', confirm_token }],
      [other, { shelf, confirm_token }],
      [name, { shelf, confirm_token: `${confirm_token}0` }],
      [name, { shelf, confirm_token: '' }],
    ]
    for (const [tool, args] of wrong) {
      expect(await client.refused(tool, args)).toMatchObject({ code: 'invalid_input' })
    }
    shelves.set(shelf, 4)
    expect(await client.refused(name, { shelf, confirm_token })).toMatchObject({
      code: 'invalid_input',
    })
    shelves.set(shelf, 3)
    expect(await second.client.tool(name, { shelf, confirm_token })).toEqual({ cleared: 3 })
  },
)

test('the token of another caller, and one that has expired, are worthless', async () => {
  const shelf = newShelf()
  const { confirm_token } = await client.refused('clear_shelf', { shelf })
  await database.query(
    `update catalyst.confirmations set principal = 'somebody' where used_at is null`,
  )
  expect((await client.refused('clear_shelf', { shelf, confirm_token })).code).toBe('invalid_input')
  await database.query(
    `update catalyst.confirmations
     set principal = 'local', created_at = now() - interval '2 h', expires_at = now() - interval '1 h'
     where used_at is null`,
  )
  expect((await client.refused('clear_shelf', { shelf, confirm_token })).code).toBe('invalid_input')
  expect(shelves.get(shelf)).toBe(3)
})

test('of twenty calls with one token at once, one acts', async () => {
  const shelf = newShelf()
  const { confirm_token } = await client.refused('clear_shelf', { shelf })
  const before = cleared.length
  const calls = Array.from({ length: 20 }, () =>
    client.tool('clear_shelf', { shelf, confirm_token }),
  )
  const settled = await Promise.allSettled(calls)
  // Whoever comes after it finds the shelf empty, and an empty shelf is cleared without a question.
  const acted = cleared.slice(before).filter(({ plan }) => plan !== null)
  expect(acted).toHaveLength(1)
  expect(settled.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThan(0)
})

test('what needs no confirmation is not asked', async () => {
  const shelf = newShelf(0)
  expect(await client.tool('clear_shelf', { shelf })).toEqual({ cleared: 0 })
  expect(cleared.at(-1)?.plan).toBeNull()
})

test('a job whose answer was lost comes again with its key and token, and is not done twice', async () => {
  const shelf = newShelf()
  const { confirm_token } = await client.refused('clear_shelf_slowly', { shelf })
  const call = { shelf, confirm_token, idempotency_key: 'clear-once' }
  const before = cleared.length
  expect(await client.tool('clear_shelf_slowly', call)).toEqual({ cleared: 3 })
  shelves.set(shelf, 5)
  expect(await client.tool('clear_shelf_slowly', call)).toEqual({ cleared: 3, replayed: true })
  expect(cleared.length).toBe(before + 1)
  expect(shelves.get(shelf)).toBe(5)
})

const cases = eras.flatMap((era) => NAMES.map((name) => ({ era, name })))

test.each(cases)(
  '$era $name: a user who says yes is asked once, and it is done',
  async ({ era, name }) => {
    const questions: string[] = []
    const asked = await connect(era, (question) => {
      questions.push(question)
      return answer('yes')(question)
    })
    const shelf = newShelf()
    expect(await asked.tool(name, { shelf })).toEqual({ cleared: 3 })
    expect(questions).toEqual([expect.stringContaining('3 books will be lost.')])
    expect(questions[0]).toContain(`"shelf": "${shelf}"`)
  },
)

test.each(cases)(
  '$era $name: a user who says no is not asked again, and nothing is done',
  async ({ era, name }) => {
    const asked = await connect(era, answer('no'))
    const shelf = newShelf()
    expect(await asked.refused(name, { shelf })).toMatchObject({
      code: 'cancelled',
      retryable: false,
    })
    expect(shelves.get(shelf)).toBe(3)
  },
)

test.each(
  cases.flatMap((one) => [
    { ...one, how: 'dismissed' },
    { ...one, how: 'refused' },
  ]),
)('$era $name: a host that did not get a yes ($how) gets the token', async ({ era, name, how }) => {
  const asked: TestClient = await connect(era, answer(how))
  const shelf = newShelf()
  const { code, hint, confirm_token } = await asked.refused(name, { shelf })
  expect(code).toBe('confirmation_required')
  expect(hint).toContain('did not get a yes')
  expect(shelves.get(shelf)).toBe(3)
  expect(await asked.tool(name, { shelf, confirm_token })).toEqual({ cleared: 3 })
})

test('a forged or used state is refused by the protocol', async () => {
  const asked = await connect('modern', answer('yes'))
  const shelf = newShelf()
  const retry = (requestState: string) =>
    asked.sdk.callTool({
      name: 'clear_shelf',
      arguments: { shelf },
      requestState,
      inputResponses: { confirm: { action: 'accept', content: { confirm: true } } },
    } as never)
  const { confirm_token = '' } = await client.refused('clear_shelf', { shelf })
  await expect(retry('confirm_0')).rejects.toMatchObject({ code: -32602 })
  expect(shelves.get(shelf)).toBe(3)
  expect((await retry(confirm_token)).structuredContent).toEqual({ cleared: 3 })
  shelves.set(shelf, 3)
  await expect(retry(confirm_token)).rejects.toMatchObject({ code: -32602 })
  expect(shelves.get(shelf)).toBe(3)
})

test('the audit tells who was asked, who confirmed and how', async () => {
  const outcomes = await waitFor(async () => {
    const found = await outcomesOf('clear_shelf')
    return found.some(({ confirmed_by }) => confirmed_by === 'elicitation') && found
  })
  const kinds = new Set(outcomes.map(({ outcome, confirmed_by }) => `${outcome} ${confirmed_by}`))
  expect([...kinds]).toEqual(
    expect.arrayContaining([
      'confirmation_required null',
      'intended token',
      'ok token',
      'intended elicitation',
      'ok elicitation',
      'cancelled null',
      'invalid_input null',
      'ok null',
    ]),
  )
})
