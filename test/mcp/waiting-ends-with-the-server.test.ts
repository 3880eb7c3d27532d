import { expect, test } from 'vitest'
import { open } from '../failures/serving.js'
import { startApp } from '../support/app.js'
import { createDatabase } from '../support/database.js'

test('a long poll is answered when the server ends', async () => {
  const database = await createDatabase()
  const served = await open(database.url)
  const clients = [await served.connect('modern'), await served.connect('legacy')]
  // A type that nothing here publishes: the events of the migrations may still be on their way.
  const query = { types: ['cache.memory.high'], after: 0, wait_ms: 25_000 }
  const polls = clients.map((one) => one.tool('list_events', query))
  await served.app.drain()
  const answers = await Promise.all(polls)
  expect(answers.map((answer) => answer.events)).toEqual([[], []])
  await served.close()
  await database.drop()
})

test('Accept may be anything, or missing', async () => {
  const { url } = await startApp()
  const body = JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'initialize',
    params: {
      protocolVersion: '2025-06-18',
      capabilities: {},
      clientInfo: { name: 'codex-mcp-client', title: 'Codex', version: '0.165.0' },
    },
  })
  for (const accept of ['*/*', 'application/*, */*;q=0.1', '']) {
    const headers = { 'content-type': 'application/json', ...(accept ? { accept } : {}) }
    const response = await fetch(url, { method: 'POST', headers, body })
    expect(response.status).toBe(200)
    expect(await response.text()).toContain('"protocolVersion":"2025-06-18"')
  }
})
