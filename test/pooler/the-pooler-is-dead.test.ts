import { expect, inject, test } from 'vitest'
import { serve } from '../failures/serving.js'
import { createDatabase } from '../support/database.js'
import { expectCommandsToSay, expectRefused, expectUnusable, readiness } from '../support/health.js'
import { PgBouncer } from '../support/pgbouncer.js'

const database = await createDatabase()
const direct = { DATABASE_DIRECT_URL: database.url }
const redis = { REDIS_URL: `unix://${inject('redisPath')}` }

test('a pooler that ends takes the calls with it, and that is said, although the database is well', async () => {
  const bouncer = await PgBouncer.forThisTest()
  const url = bouncer.url(database.name)
  const served = await serve(url, direct)
  expect(await readiness(served)).toMatchObject({ status: 200, ready: true })
  await bouncer.stop()
  const cause = /Calls cannot reach PostgreSQL: Nothing listens/
  await expectUnusable(served, cause, /correct host and port in DATABASE_URL/)
  const client = await served.connect()
  expect((await client.resource('db/status')).postgresql).toMatchObject({ status: 'up' })
  await expectRefused(served, /Nothing listens/)
  const env = { DATABASE_URL: url, ...direct, ...redis }
  await expectCommandsToSay(env, /Nothing listens/, /correct host and port in DATABASE_URL/, [
    ['status'],
    ['doctor'],
  ])
})

test('a pooler that does not know the user, or has no server behind it, is named', async () => {
  const bouncer = await PgBouncer.forThisTest()
  const served = await serve(bouncer.url(database.name, 'stranger'), direct)
  await expectUnusable(served, /Calls cannot reach PostgreSQL: .*(refused|pooler)/, /DATABASE_URL/)
  await served.close()
  const other = await serve(bouncer.url('no_such_database'), direct)
  await expectUnusable(
    other,
    /Calls cannot reach PostgreSQL: .*(does not exist|pooler)/,
    /DATABASE_URL/,
  )
})
