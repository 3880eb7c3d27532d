import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, inject, test } from 'vitest'
import { startApp } from '../support/app.js'
import { connectStdio } from '../support/cli.js'
import { waitFor } from '../support/wait-for.js'

const folder = mkdtempSync(join(tmpdir(), 'catalyst-limits-'))
afterAll(() => rmSync(folder, { recursive: true }))
const policy = join(folder, 'policy.toml')
writeFileSync(
  policy,
  '[limits]\nsessions_per_caller = 3\nsubscriptions_per_client = 2\nstreams_per_client = 3\n',
)

const { client, connect, database } = await startApp({ env: { CATALYST_POLICY_FILE: policy } })

test('a caller opens no more sessions than its share, and may again after ending one', async () => {
  const starts = Array.from({ length: 5 }, () => client.tool('start_db_session'))
  const settled = await Promise.allSettled(starts)
  const started = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  expect(started).toHaveLength(3)
  expect(await client.refused('start_db_session')).toMatchObject({
    code: 'rate_limited',
    hint: expect.stringContaining('end_db_session'),
  })
  const [{ session_id }] = started
  await client.tool('end_db_session', { session_id, outcome: 'rollback' })
  await client.tool('start_db_session')
})

test('a connection subscribes to no more resources than its share', async () => {
  const { sdk } = await connect('legacy')
  await sdk.subscribeResource({ uri: 'catalyst://db/status' })
  await sdk.subscribeResource({ uri: 'catalyst://news' })
  await sdk.subscribeResource({ uri: 'catalyst://news' })
  const refused = sdk.subscribeResource({ uri: 'catalyst://signals' })
  await expect(refused).rejects.toThrow('As many subscriptions')
  await sdk.unsubscribeResource({ uri: 'catalyst://news' })
  await sdk.subscribeResource({ uri: 'catalyst://signals' })
})

test('so does a stream, and a client listens to no more streams than its share', async () => {
  const { sdk } = await connect('modern')
  const news = { resourceSubscriptions: ['catalyst://news'] }
  const tooMany = ['catalyst://news', 'catalyst://events', 'catalyst://db/status']
  await expect(sdk.listen({ resourceSubscriptions: tooMany })).rejects.toMatchObject({
    code: 1012,
    data: { code: 'rate_limited', retryable: false },
  })
  const streams = await Promise.all([sdk.listen(news), sdk.listen(news), sdk.listen(news)])
  const refused = { code: 1012, data: { code: 'rate_limited', retryable: true } }
  await expect(sdk.listen(news)).rejects.toMatchObject(refused)
  // Another connection of the same client is no way around it.
  await expect((await connect('modern')).sdk.listen(news)).rejects.toMatchObject(refused)
  await streams[0].close()
  await waitFor(() =>
    sdk.listen(news).then(
      () => true,
      () => false,
    ),
  )
})

test('over stdio one connection is one client', async () => {
  const { client: own } = await connectStdio('modern', {
    DATABASE_URL: database.url,
    REDIS_URL: `unix://${inject('redisPath')}`,
    CATALYST_POLICY_FILE: policy,
  })
  const news = { resourceSubscriptions: ['catalyst://news'] }
  const streams = await Promise.all([
    own.sdk.listen(news),
    own.sdk.listen(news),
    own.sdk.listen(news),
  ])
  await expect(own.sdk.listen(news)).rejects.toMatchObject({ data: { code: 'rate_limited' } })
  await streams[0].close()
  await waitFor(() =>
    own.sdk.listen(news).then(
      () => true,
      () => false,
    ),
  )
})
