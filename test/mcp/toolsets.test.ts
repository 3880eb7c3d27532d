import { expect, test } from 'vitest'
import { startApp, TestClient } from '../support/app.js'
import { article } from '../support/news.js'
import { describedRegistry } from '../support/registry.js'

const app = await startApp()
const all = [...describedRegistry().tools.values()]
const ofDomains = (...domains: string[]) =>
  all
    .filter(({ domain }) => domains.includes(domain))
    .map(({ name }) => name)
    .sort()
const listed = async ({ sdk }: TestClient) =>
  (await sdk.listTools()).tools.map(({ name }) => name).sort()

const narrowed = (query: string, era: 'legacy' | 'modern' = 'modern', url = app.url) =>
  TestClient.connect(`${url}?${query}`, era)

/** JSON-RPC's answer to a request as it stands. */
async function post(url: string) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 7,
      method: 'initialize',
      params: {
        protocolVersion: '2025-11-25',
        capabilities: {},
        clientInfo: { name: 'test', version: '0' },
      },
    }),
  })
  return { status: response.status, body: await response.text() }
}

test.each(['legacy', 'modern'] as const)(
  'a client of the %s era sees and calls only the toolsets in its URL',
  async (era) => {
    const client = await narrowed('toolsets=cache, explore', era)
    expect(await listed(client)).toEqual(ofDomains('cache', 'explore'))
    expect(await client.resource('db/status')).toHaveProperty('status')
    await expect(client.tool('persist_news_catalyst', article())).rejects.toThrow(/Unknown tool/)
    await client.close()
    expect(await listed(app.client)).toEqual(all.map(({ name }) => name).sort())
  },
)

test('a transaction cannot reach past the toolsets of its client', async () => {
  const client = await narrowed('toolsets=sessions,trading')
  const { session_id } = await client.tool('start_db_session')
  const operations = [{ tool: 'persist_news_catalyst', params: article() }]
  const refused = await client.refused('execute_transaction', { session_id, operations })
  expect(refused).toMatchObject({ code: 'invalid_input' })
  expect(refused.hint).not.toContain('persist_news_catalyst')
  await client.close()
})

test('a toolset that does not exist is named, with those that do', async () => {
  for (const query of ['toolsets=nonsense', 'toolsets=cache,__proto__']) {
    const { status, body } = await post(`${app.url}?${query}`)
    expect(status).toBe(400)
    expect(JSON.parse(body)).toMatchObject({ id: 7, error: { code: -32602 } })
    expect(body).toMatch(/There is no toolset .+There are: assistant, backups, cache, .*trading/)
  }
})

test('CATALYST_TOOLSETS is what everyone is served, and a URL can only narrow it', async () => {
  const own = await startApp({
    database: app.database,
    env: { CATALYST_TOOLSETS: 'Trading, explore' },
  })
  expect(await listed(own.client)).toEqual(ofDomains('trading', 'explore'))
  expect(own.client.sdk.getInstructions()).toContain('trading signal')
  expect(own.client.sdk.getInstructions()).not.toContain('schema change')
  const client = await narrowed('toolsets=trading', 'modern', own.url)
  expect(await listed(client)).toEqual(ofDomains('trading'))
  await client.close()
  expect((await post(`${own.url}?toolsets=cache`)).status).toBe(400)
})

test('CATALYST_READ_ONLY leaves the tools that change nothing', async () => {
  const own = await startApp({ database: app.database, env: { CATALYST_READ_ONLY: 'true' } })
  const reading = all.filter(({ effect }) => effect === 'read').map(({ name }) => name)
  expect(await listed(own.client)).toEqual(reading.sort())
  await expect(own.client.tool('persist_news_catalyst', article())).rejects.toThrow(/Unknown tool/)
  expect(await own.client.tool('read_resource', { uri: 'db/status' })).toHaveProperty('status')
})

test('the instructions tell of every family of tasks that is served, and of no other', async () => {
  const whole = app.client.sdk.getInstructions() ?? ''
  expect(whole.length).toBeGreaterThanOrEqual(1_200)
  expect(Buffer.byteLength(whole)).toBeLessThanOrEqual(2_000)
  for (const word of ['headline', 'price bars', 'signal', 'fill', 'pattern', 'schema change'])
    expect(whole).toContain(word)
  const client = await narrowed('toolsets=migrations')
  expect(client.sdk.getInstructions()).toContain('schema change')
  expect(client.sdk.getInstructions()).not.toContain('headline or many')
  await client.close()
})

test('hosts are told which tools need a person, and which to have at hand', () => {
  const { toolList, tools } = describedRegistry()
  const marked = (mark: string) => toolList.filter(({ _meta }) => _meta?.[`anthropic/${mark}`])
  const destroying = [...tools.values()].filter(({ effect }) => effect === 'destroy')
  expect(destroying.length).toBeGreaterThan(0)
  expect(marked('requiresUserInteraction').map(({ name }) => name)).toEqual(
    destroying.map(({ name }) => name),
  )
  expect(marked('alwaysLoad').length).toBeLessThanOrEqual(4)
  expect(marked('alwaysLoad').map(({ name }) => name)).toContain('read_resource')
})
