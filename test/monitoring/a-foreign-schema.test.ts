import { expect, inject, test } from 'vitest'
import { serve } from '../failures/serving.js'
import { runCommand } from '../support/cli.js'
import { createDatabase, type TestDatabase } from '../support/database.js'
import { readiness } from '../support/health.js'
import { article } from '../support/news.js'

const redis = { REDIS_URL: `unix://${inject('redisPath')}` }
const CAUSE = /schema "catalyst" .* belongs to something else/
const FIX = /alter schema catalyst rename/

/** Everything that is in it. */
const contentOf = (database: TestDatabase) =>
  database.query(
    `select pg_describe_object(classid, objid, objsubid) as object
     from pg_depend
     where refclassid = 'pg_namespace'::regclass
       and refobjid = (select oid from pg_namespace where nspname = 'catalyst')
     order by 1`,
  )

/** What others may keep under that name. */
const FOREIGN = {
  'tables of an application': 'create table catalyst.orders (id int primary key)',
  'the ledger of another tool':
    'create table catalyst.schema_migrations (version text primary key)',
  'nothing but a function': `create function catalyst.now_utc() returns text language sql as 'select 1'`,
  'tables that are called like ours':
    'create table catalyst.events (id int); create table catalyst.event_outbox (id int)',
}

/** Calls that need our tables, of every kind. */
const BAR = { ts: '2026-01-05T05:00:00Z', open: 1, high: 1, low: 1, close: 1, volume: 1 }
const CALLS: readonly (readonly [tool: string, args: Record<string, unknown>])[] = [
  ['persist_news_catalyst', article()],
  ['persist_price_bars', { symbol: 'A', timeframe: '1d', bars: [BAR] }],
  ['start_db_session', {}],
  ['list_events', {}],
  ['sync_source_metrics', {}],
  ['run_migrations', { dry_run: true }],
  ['invalidate_cache', { symbol: 'A' }],
]
/** Commands that need them. */
const COMMANDS = [
  'migrate up --yes',
  'migrate status',
  'migrate history',
  'migrate down --target 1 --yes',
  'migrate baseline --version 1001',
  'migrate repair',
  'audit verify',
]

test.each(Object.entries(FOREIGN))(
  '%s: it is named, and nothing is written into it',
  async (_, sql) => {
    const database = await createDatabase({ empty: true })
    await database.query(`create schema catalyst; ${sql}`)
    const before = await contentOf(database)
    const served = await serve(database.url)
    const client = await served.connect()
    const status = await client.resource('db/status')
    expect(status.status).toBe('unhealthy')
    expect(status.reasons).toContainEqual(expect.stringMatching(CAUSE))
    expect(status.reasons.join(' ')).toMatch(FIX)
    expect(await readiness(served)).toMatchObject({
      status: 503,
      reason: expect.stringMatching(CAUSE),
    })
    for (const [tool, args] of CALLS) {
      const refused = await client.refused(tool, args)
      expect(refused).toMatchObject({ code: 'unavailable', retryable: false })
      expect(refused.message).toMatch(CAUSE)
      expect(refused.hint).toMatch(FIX)
    }
    for (const uri of ['news', 'events', 'signals', 'db/sync/status', 'db/migrations/status']) {
      await expect(client.resource(uri)).rejects.toThrow(CAUSE)
      await expect(client.resource(uri)).rejects.toThrow(FIX)
    }
    await served.close()
    const env = { DATABASE_URL: database.url, ...redis }
    const doctor = await runCommand(['doctor', '--json'], env)
    expect(JSON.parse(doctor.stdout).findings).toContainEqual({
      check: 'Schema',
      status: 'problem',
      detail: expect.stringMatching(CAUSE),
      fix: expect.stringMatching(FIX),
    })
    expect(doctor.code).toBe(7)
    expect((await runCommand(['migrate', 'up', '--yes'], env)).stderr).toMatch(CAUSE)
    expect(await contentOf(database)).toEqual(before)
  },
)

test('every command that needs our tables says so and ends with 4; status reports it', async () => {
  const database = await createDatabase({ empty: true })
  await database.query(`create schema catalyst; ${FOREIGN['tables of an application']}`)
  const env = { DATABASE_URL: database.url, ...redis }
  const seen = await runCommand(['status'], env)
  expect(seen.stdout).toMatch(CAUSE)
  expect(seen.code).toBe(7)
  for (const command of COMMANDS) {
    const { code, stderr } = await runCommand(command.split(' '), env)
    expect([command, stderr]).toEqual([command, expect.stringMatching(CAUSE)])
    expect(stderr).toMatch(FIX)
    expect([command, code]).toEqual([command, 4])
  }
})

test('a schema that somebody made for us, empty, is ours', async () => {
  const database = await createDatabase({ empty: true })
  await database.query(
    'create schema catalyst; alter default privileges in schema catalyst grant select on tables to public',
  )
  const served = await serve(database.url)
  expect(await readiness(served)).toMatchObject({ status: 200, ready: true })
  const doctor = await runCommand(['doctor'], { DATABASE_URL: database.url, ...redis })
  expect(doctor.stdout).toMatch(/Schema\s+ok/)
})
