import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { createDatabase, type TestDatabase } from '../support/database.js'
import { waitFor } from '../support/wait-for.js'
import { call, Trail, verify } from './trail.js'

const entriesOf = (database: TestDatabase, tool: string) =>
  database.query<{ outcome: string; calls: number; principal: string }>(
    `select outcome, calls, principal from catalyst.audit_log
     where tool = '${tool}' order by audit_id`,
  )

test('calls of unknown tools are in it under the name that was asked for, whatever that contains', async () => {
  const { connect, database } = await startApp()
  // Requests of the other era carry the name in a header, which not every name fits into.
  const client = await connect('legacy')
  const names = ['drop_everything', 'with\0zero', 'lone \ud800 half', 'x'.repeat(5_000)]
  for (const name of names) {
    await expect(client.sdk.callTool({ name, arguments: {} })).rejects.toMatchObject({
      code: -32602,
    })
  }
  const found = await waitFor(async () => {
    const rows = await database.query<{ tool: string }>(
      `select tool from catalyst.audit_log where outcome = 'not_found' order by audit_id`,
    )
    return rows.length === names.length && rows
  })
  expect(found.map(({ tool }) => tool)).toEqual([
    'drop_everything',
    'with?zero',
    'lone ? half',
    'x'.repeat(128),
  ])
  expect((await verify(database.url)).intact).toBe(true)
})

test('reads are counted: a client that polls leaves one entry a minute', async () => {
  const database = await createDatabase()
  const app = await startApp({ database })
  for (let n = 0; n < 25; n++) await app.client.tool('list_events', {})
  for (let n = 0; n < 5; n++) await app.client.refused('list_events', { limit: 0 })
  await app.close()
  const entries = await entriesOf(database, 'list_events')
  // The clock may have passed a minute in between.
  expect(entries.length).toBeLessThanOrEqual(4)
  const calls = (outcome: string) =>
    entries.reduce((sum, entry) => sum + (entry.outcome === outcome ? entry.calls : 0), 0)
  expect([calls('ok'), calls('invalid_input')]).toEqual([25, 5])
  expect((await verify(database.url)).intact).toBe(true)
  await database.drop()
})

test('counts of a minute are one entry for each caller, tool and outcome, written when it is over', async () => {
  const { database } = await startApp()
  const trail = new Trail(database.url)
  trail.now = new Date('2026-11-15T10:00:30Z')
  for (let n = 0; n < 100; n++) trail.audit.count(call('list_events', n % 2 ? 'a' : 'b'))
  trail.audit.count({ ...call('list_events', 'a'), outcome: 'invalid_input' })
  trail.now = new Date('2026-11-15T10:01:10Z')
  trail.audit.count(call('list_events', 'a'))
  trail.begin()
  const first = await waitFor(async () => {
    const rows = await entriesOf(database, 'list_events')
    return rows.length > 0 && rows
  })
  expect(first).toEqual([
    { outcome: 'ok', calls: 50, principal: 'b' },
    { outcome: 'ok', calls: 50, principal: 'a' },
    { outcome: 'invalid_input', calls: 1, principal: 'a' },
  ])
  await trail.stop()
  expect(await entriesOf(database, 'list_events')).toHaveLength(4)
  expect((await verify(database.url)).intact).toBe(true)
})
