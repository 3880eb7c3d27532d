import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { article } from '../support/news.js'
import { waitFor } from '../support/wait-for.js'

const { client, connect, database } = await startApp()

const newest = async () => {
  await client.tool('persist_news_catalyst', article())
  await waitFor(
    async () => (await database.query('select 1 from catalyst.event_outbox')).length === 0,
  )
  return (await client.tool('list_events', { limit: 1 })).next_cursor as number
}

test('a cursor beyond the log is told as such, with the newest seq, however it is asked for', async () => {
  const seq = await newest()
  const told = {
    message: expect.stringContaining(`seq ${seq}.`),
    hint: expect.stringContaining(`after=${seq}`),
    retryable: false,
  }
  for (const args of [{ after: seq + 1 }, { after: seq + 1, wait_ms: 25_000 }]) {
    expect(await client.refused('list_events', args)).toMatchObject({
      code: 'precondition_failed',
      ...told,
    })
  }
  const legacy = await connect('legacy')
  for (const path of ['events', 'events/db.transaction']) {
    for (const reader of [client, legacy]) {
      await expect(reader.resource(`${path}?after=${seq + 7}`)).rejects.toMatchObject({
        code: 1002,
        data: { code: 'precondition_failed', ...told },
      })
    }
  }
  expect((await client.tool('list_events', { after: seq })).events).toEqual([])
})

test('a database that was set back answers so to who has seen more of it', async () => {
  const seq = await newest()
  await database.query(`
    delete from catalyst.events where seq > ${seq - 1};
    select setval('catalyst.event_seq', ${seq - 1})`)
  expect(await client.refused('list_events', { after: seq })).toMatchObject({
    code: 'precondition_failed',
    hint: expect.stringContaining(`after=${seq - 1}`),
  })
})

test('a log whose events are no longer kept has not lost its place', async () => {
  const seq = await newest()
  await database.query('delete from catalyst.events')
  expect((await client.tool('list_events', { after: seq })).next_cursor).toBe(seq)
  expect((await client.refused('list_events', { after: seq + 1 })).code).toBe('precondition_failed')
})
