import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { startApp } from '../support/app.js'

const folder = mkdtempSync(join(tmpdir(), 'catalyst-limits-'))
afterAll(() => rmSync(folder, { recursive: true }))
const policy = join(folder, 'policy.toml')
writeFileSync(policy, '[limits]\nsessions_per_caller = 3\nsubscriptions_per_client = 2\n')

const { client, connect } = await startApp({ env: { CATALYST_POLICY_FILE: policy } })

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
