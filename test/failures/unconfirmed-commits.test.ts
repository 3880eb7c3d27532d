import { expect, test } from 'vitest'
import type { TestClient } from '../support/app.js'
import { Cluster } from '../support/cluster.js'
import { article } from '../support/news.js'
import { waitFor } from '../support/wait-for.js'
import { repeat, serve } from './serving.js'

const WAITING = `from pg_stat_activity
  where wait_event = 'SyncRep' and application_name = 'catalyst-db' and query = 'commit'`

/** Commits wait for a standby that there is none of, and warnings are not sent unless asked for. */
async function startWithoutStandby() {
  const cluster = await Cluster.start()
  await cluster.query(`alter database catalyst set client_min_messages = 'error'`)
  await cluster.query(`alter role postgres set client_min_messages = 'error'`)
  const client = await (await serve(cluster.url)).connect()
  const { session_id } = await client.tool('start_db_session')
  await client.tool('persist_news_catalyst', { ...article({ symbol: undefined }), session_id })
  await cluster.query(`alter system set synchronous_standby_names = 'nobody'`)
  await cluster.query('select pg_reload_conf()')
  await waitFor(
    async () =>
      (
        await cluster.query<{ synchronous_standby_names: string }>('show synchronous_standby_names')
      )[0]?.synchronous_standby_names === 'nobody',
  )
  return { cluster, client, session_id }
}

/** Cancels the wait of every commit until the call is answered. */
async function cancelWaits<T>(cluster: Cluster, call: Promise<T>): Promise<T> {
  let isAnswered = false
  const answered = call.finally(() => {
    isAnswered = true
  })
  while (!isAnswered) await cluster.query(`select pg_cancel_backend(pid) ${WAITING}`)
  return answered
}

async function refusedWith(client: TestClient, cluster: Cluster, tool: string, args: object) {
  return cancelWaits(cluster, client.refused(tool, { ...args }))
}

test('whatever level of messages is set, a commit that no standby has is not acknowledged', async () => {
  const { cluster, client, session_id } = await startWithoutStandby()
  const args = { ...article({ symbol: undefined }), idempotency_key: 'unconfirmed' }
  expect(await refusedWith(client, cluster, 'persist_news_catalyst', args)).toMatchObject({
    code: 'outcome_unknown',
    retryable: true,
  })
  // Without a key the same call again might be a second one.
  expect(await refusedWith(client, cluster, 'persist_news_catalyst', article())).toMatchObject({
    code: 'outcome_unknown',
    retryable: false,
  })
  const ending = { session_id, outcome: 'commit', idempotency_key: 'session' }
  expect(await refusedWith(client, cluster, 'end_db_session', ending)).toMatchObject({
    code: 'outcome_unknown',
    hint: expect.stringContaining('Do not repeat the work'),
  })
  // Asked again by its key, the answer waits for the standby as well.
  expect(await refusedWith(client, cluster, 'persist_news_catalyst', args)).toMatchObject({
    code: 'outcome_unknown',
  })
  await cluster.query('alter system reset synchronous_standby_names')
  await cluster.query('select pg_reload_conf()')
  expect((await repeat(client, 'persist_news_catalyst', args)).answer.replayed).toBe(true)
  expect((await repeat(client, 'end_db_session', ending)).answer).toEqual({
    outcome: 'commit',
    operations_count: 1,
    replayed: true,
  })
})
