import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'

const { client } = await startApp()

test.each(['', 'help', ' HELP ', 'catalyst://help', undefined])(
  'read_resource of %j names every path with its filters in few bytes',
  async (uri) => {
    const answer = await client.tool('read_resource', uri === undefined ? {} : { uri })
    const listed = (await client.sdk.listResources()).resources.map(({ name }) => name)
    const templates = (await client.sdk.listResourceTemplates()).resourceTemplates
    const paths = new Set([...listed, ...templates.map(({ name }) => name)])
    expect(Object.keys(answer.resources).sort()).toEqual([...paths].sort())
    expect(answer.resources.news.split(',')).toEqual(
      expect.arrayContaining(['symbol', 'since', 'stored_since', 'limit', 'cursor']),
    )
    expect(JSON.stringify(answer).length).toBeLessThan(2_500)
  },
)

test.each([
  ['db/stats', 'db/status'],
  ['new', 'news'],
  ['market/hours', 'market/clock'],
  ['position', 'positions'],
  ['db/session', 'db/sessions/active'],
  ['catalyst://cache/statistics', 'cache/stats'],
])('%s is unknown, and %s is named as near', async (uri, near) => {
  expect(await client.refused('read_resource', { uri })).toMatchObject({
    code: 'not_found',
    hint: expect.stringContaining(near),
  })
})
