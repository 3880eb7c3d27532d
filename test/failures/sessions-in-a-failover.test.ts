import { expect, test } from 'vitest'
import type { TestClient } from '../support/app.js'
import type { Cluster } from '../support/cluster.js'
import { article } from '../support/news.js'
import { waitFor } from '../support/wait-for.js'
import { startPair } from './pair.js'
import { serve } from './serving.js'

const isIn = async (cluster: Cluster, headline: string): Promise<boolean> =>
  (await cluster.query('select 1 from catalyst.news_articles where headline = $1', [headline]))
    .length > 0

/** A session that holds a story. */
async function openSession(client: TestClient) {
  const { session_id } = await client.tool('start_db_session')
  const story = article({ symbol: undefined })
  await client.tool('persist_news_catalyst', { ...story, session_id })
  return { session_id, headline: String(story.headline) }
}

/** What the key of a commit says once somebody can be asked. */
const fateOf = (client: TestClient, args: Record<string, unknown>) =>
  waitFor(async () => {
    const refusal = await client.refused('end_db_session', args)
    return refusal.code !== 'unavailable' && refusal
  })

test('a commit of a session that the standby never received is not said to be kept, and its key says that it was not', async () => {
  const { primary, standby, wire, toPrimary, url } = await startPair({ synchronous: false })
  const client = await (await serve(url)).connect()
  const kept = await openSession(client)
  await client.tool('end_db_session', { session_id: kept.session_id, outcome: 'commit' })
  await waitFor(() => isIn(standby, kept.headline))
  const { session_id, headline } = await openSession(client)
  wire.silence()
  toPrimary.set({
    at: ({ sinceCommit }) => sinceCommit === 2,
    deliver: false,
    how: 'silence',
    times: 4,
  })
  const args = { session_id, outcome: 'commit', idempotency_key: 'lost' }
  const ending = client.refused('end_db_session', args)
  await waitFor(() => isIn(primary, headline))
  await primary.stop('immediate')
  toPrimary.isClosed = true
  toPrimary.resetAll()
  await standby.promote()
  expect((await ending).code).toMatch(/^(outcome_unknown|session_lost)$/)
  const fate = await fateOf(client, args)
  expect(fate.code).toBe('session_lost')
  expect(`${fate.message} ${fate.hint}`).toContain('rolled back')
  expect(await isIn(standby, headline)).toBe(false)
  expect(await isIn(standby, kept.headline)).toBe(true)
})

test('a commit of a session that waits for the standby is not acknowledged before, and its key tells its fate after the promotion', async () => {
  const { primary, standby, wire, url } = await startPair({ synchronous: true })
  const client = await (await serve(url)).connect()
  const { session_id, headline } = await openSession(client)
  wire.silence()
  const args = { session_id, outcome: 'commit', idempotency_key: 'waiting' }
  let isAnswered = false
  const ending = client.refused('end_db_session', args).finally(() => {
    isAnswered = true
  })
  await waitFor(
    async () =>
      (
        await primary.query(
          `select 1 from pg_stat_activity
           where wait_event = 'SyncRep' and application_name = 'catalyst-db'`,
        )
      ).length > 0,
    { what: 'the commit waiting for the standby' },
  )
  expect(isAnswered).toBe(false)
  await primary.stop('immediate')
  await standby.promote()
  expect((await ending).code).toMatch(/^(outcome_unknown|session_lost)$/)
  expect(await fateOf(client, args)).toMatchObject({ code: 'session_lost' })
  expect(await isIn(standby, headline)).toBe(false)
})
