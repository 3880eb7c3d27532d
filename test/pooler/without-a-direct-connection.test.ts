import { expect, inject, test } from 'vitest'
import { serve } from '../failures/serving.js'
import { runCommand } from '../support/cli.js'
import { createDatabase } from '../support/database.js'
import { article } from '../support/news.js'
import { PgBouncer, type PoolMode } from '../support/pgbouncer.js'

const MODES: PoolMode[] = ['transaction', 'statement', 'session']
const FIX = 'set DATABASE_DIRECT_URL to the database itself'
const database = await createDatabase()

const readiness = async (url: string) => {
  const response = await fetch(new URL('/readyz', url))
  return { status: response.status, body: await response.json() }
}

test.each(MODES)(
  'in %s mode the server says so at every start, also where the schema is current',
  async (mode) => {
    const bouncer = await PgBouncer.forThisTest({ mode, size: 30 })
    for (let start = 1; start <= 2; start++) {
      const served = await serve(bouncer.url(database.name))
      const client = await served.connect()
      const status = await client.resource('db/status')
      expect(status).toMatchObject({ status: 'unhealthy', postgresql: { status: 'up' } })
      expect(status.reasons).toContainEqual(expect.stringContaining(FIX))
      const { status: code, body } = await readiness(served.url)
      expect(code).toBe(503)
      expect(Object(body).reason).toContain(FIX)
      await served.close()
    }
  },
)

test.each(MODES)('in %s mode the doctor and the status command name it', async (mode) => {
  const bouncer = await PgBouncer.forThisTest({ mode, size: 30 })
  const env = {
    DATABASE_URL: bouncer.url(database.name),
    REDIS_URL: `unix://${inject('redisPath')}`,
  }
  const doctor = await runCommand(['doctor', '--json'], env)
  expect(doctor.code).toBe(4)
  expect(JSON.parse(doctor.stdout).findings).toContainEqual(
    expect.objectContaining({
      check: 'Direct connection',
      status: 'problem',
      fix: expect.stringContaining('DATABASE_DIRECT_URL'),
    }),
  )
  const status = await runCommand(['status'], env)
  expect(status.code).toBe(4)
  expect(status.stdout).toContain(FIX)
  for (const command of ['status', 'history', 'up']) {
    const { code, stderr } = await runCommand(['migrate', command], env)
    expect(stderr, command).toContain(FIX)
    expect(code, command).toBe(4)
  }
})

test('what needs a connection that stays the same is refused with the fix; what does not works', async () => {
  const bouncer = await PgBouncer.forThisTest()
  const served = await serve(bouncer.url(database.name))
  const client = await served.connect()
  const needy = { start_db_session: {}, run_migrations: { dry_run: true }, sync_source_metrics: {} }
  for (const [tool, args] of Object.entries(needy)) {
    const refused = await client.refused(tool, args)
    expect(refused).toMatchObject({ code: 'unavailable', retryable: false })
    expect(refused.message).toContain(FIX)
  }
  expect(await database.query('select 1 from catalyst.jobs')).toEqual([])
  const { news_id } = await client.tool('persist_news_catalyst', article())
  expect(await client.resource(`news/${news_id}`)).toMatchObject({ news_id })
})

test('a second URL that leads to a pooler is not a direct one', async () => {
  const bouncer = await PgBouncer.forThisTest()
  const url = bouncer.url(database.name)
  const served = await serve(database.url, { DATABASE_DIRECT_URL: url })
  const client = await served.connect()
  const status = await client.resource('db/status')
  expect(status.status).toBe('unhealthy')
  expect(status.reasons).toContainEqual(expect.stringContaining(FIX))
  expect(await client.refused('start_db_session')).toMatchObject({ code: 'unavailable' })
})
