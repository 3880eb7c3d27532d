import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { article } from '../support/news.js'
import { waitFor } from '../support/wait-for.js'
import { monitoringPolicy } from './policy.js'

const { client, database } = await startApp({ env: monitoringPolicy({ slow_query_ms: 150 }) })

interface Query {
  readonly query: string
  readonly calls: number
  readonly [field: string]: unknown
}
const listed = async (threshold: number, path = 'db/performance/slow-queries') =>
  client.resource(`${path}?threshold_ms=${threshold}&limit=500`)
const sleeping = async () => {
  const { queries } = await listed(150)
  return queries.find(({ query }: Query) => query?.includes('pg_sleep'))
}

test('a slow statement is listed as soon as it has run, normalised, with its figures', async () => {
  await database.query(`select pg_sleep(0.2), 'a secret' as slow_one`)
  const answer = await listed(150)
  expect(answer).toMatchObject({
    since: expect.stringMatching(/Z$/),
    // Of a server that so many tests fill, PostgreSQL may have forgotten some.
    complete: expect.any(Boolean),
    unavailable_reason: null,
  })
  expect(await sleeping()).toMatchObject({
    query: 'select pg_sleep($1), $2 as slow_one',
    calls: 1,
    rows: 1,
    avg_time_ms: expect.toSatisfy((ms: number) => ms >= 200),
  })
  expect(JSON.stringify(answer)).not.toContain('a secret')
  expect((await listed(150, 'db/slow-queries')).queries).toHaveLength(answer.queries.length)
})

test('it becomes a finding that names it, once it was called often enough', async () => {
  for (let call = 0; call < 5; call++) {
    await database.query(`select pg_sleep(0.2), 'another' as slow_one`)
  }
  const finding = await waitFor(async () => {
    const { findings } = await client.resource('db/findings')
    return findings.find(({ check }: { check: string }) => check === 'slow_queries')
  })
  expect(finding).toMatchObject({
    severity: 'warning',
    object: expect.stringMatching(/^statement -?\d+$/),
    evidence: { query: 'select pg_sleep($1), $2 as slow_one' },
    threshold: 150,
  })
  // What a client of the database has written is evidence, and no part of a sentence.
  expect(finding.title).not.toMatch(/pg_sleep/)
})

test('statements of the server’s own looking are never listed', async () => {
  await client.tool('persist_news_catalyst', article())
  const { queries } = await waitFor(async () => {
    const answer = await listed(0)
    return answer.queries.some(({ query }: Query) => query?.includes('news')) && answer
  })
  const own = queries.filter(({ query }: Query) =>
    /catalyst \*\/|pg_stat_activity|pg_stat_statements|pg_locks|catalyst\.(findings|leases|metrics_)/.test(
      query ?? '',
    ),
  )
  expect(own).toEqual([])
})

test('after a reset of the statistics nothing from before is told', async () => {
  const { since } = await listed(150)
  await database.query('select pg_stat_statements_reset()')
  const after = await listed(150)
  expect(Date.parse(after.since)).toBeGreaterThan(Date.parse(since))
  expect(await sleeping()).toBeUndefined()
})
