import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'

const { client } = await startApp()

const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** Every list that is paged by a cursor. */
const LISTS = (await client.sdk.listResourceTemplates()).resourceTemplates
  .filter(({ uriTemplate }) => /[?,]cursor/.test(uriTemplate))
  .map(({ name }) => name)

const MADE_UP = [
  'x',
  '%00',
  '5',
  encoded([]),
  encoded(['yesterday', 'x']),
  encoded(['2024-13-45T00:00:00Z', 'nws_1']),
  encoded(['0000-01-01T00:00:00Z', 'nws_1']),
  encoded(['2024-01-01T00:00:00+23:00', 'nws_1']),
  encoded(['infinity', 'nws_1']),
  encoded(['2024-01-01T00:00:00Z', 'with\0zero']),
  encoded(['a', 'b']),
  encoded(['a', '99999999999999999999']),
  encoded(['a', 'b\0', 'c']),
  encoded(['\0']),
  encoded(['9'.repeat(30)]),
  encoded([1]),
  encoded([1, 2]),
  encoded(['\ud800', 'x']),
]

test.each(LISTS)('%s: a cursor that no list gave out is refused by name', async (path) => {
  for (const cursor of MADE_UP) {
    // Some are well-formed keys of some list; none may get as far as the database's own complaint.
    const answer = await client
      .resource(`${path}?cursor=${cursor}`)
      .catch((error: { code: number; message: string }) => error)
    if (answer instanceof Error) {
      expect(answer).toMatchObject({ code: -32602, message: expect.stringMatching(/cursor/) })
    }
  }
  await expect(client.resource(`${path}?cursor=x`)).rejects.toMatchObject({ code: -32602 })
})

test('there are such lists', () => {
  expect(LISTS.length).toBeGreaterThanOrEqual(6)
})
