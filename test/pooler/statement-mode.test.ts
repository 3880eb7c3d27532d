import { expect, inject, test } from 'vitest'
import { serve } from '../failures/serving.js'
import { runCommand } from '../support/cli.js'
import { createDatabase } from '../support/database.js'
import { article } from '../support/news.js'
import { PgBouncer } from '../support/pgbouncer.js'

const CAUSE = 'gives a connection to single statements only'
const FIX = 'pool_mode = transaction'
const database = await createDatabase()

test('a pooler that takes no transactions is named with the fix, also where there is a direct connection', async () => {
  const bouncer = await PgBouncer.forThisTest({ mode: 'statement' })
  const served = await serve(bouncer.url(database.name), { DATABASE_DIRECT_URL: database.url })
  const client = await served.connect()
  const refused = await client.refused('persist_news_catalyst', article())
  expect(refused.code).toBe('unavailable')
  expect(refused.message).toContain(CAUSE)
  expect(refused.hint).toContain(FIX)
  const status = await client.resource('db/status')
  expect(status).toMatchObject({ status: 'unhealthy', postgresql: { status: 'up' } })
  expect(status.reasons).toContainEqual(expect.stringMatching(`${CAUSE}.*${FIX}`))
  const ready = await fetch(new URL('/readyz', served.url))
  expect(ready.status).toBe(503)
  expect(await ready.text()).toContain(FIX)
})

test('the doctor and the status command name it', async () => {
  const bouncer = await PgBouncer.forThisTest({ mode: 'statement' })
  const env = {
    DATABASE_URL: bouncer.url(database.name),
    DATABASE_DIRECT_URL: database.url,
    REDIS_URL: `unix://${inject('redisPath')}`,
  }
  const doctor = await runCommand(['doctor', '--json'], env)
  expect(doctor.code).toBe(4)
  expect(JSON.parse(doctor.stdout).findings).toContainEqual({
    check: 'Pooler',
    status: 'problem',
    detail: expect.stringContaining(CAUSE),
    fix: expect.stringContaining(FIX),
  })
  const status = await runCommand(['status'], env)
  expect(status.code).toBe(4)
  expect(status.stdout).toContain(FIX)
})
