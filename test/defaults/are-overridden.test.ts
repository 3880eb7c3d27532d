import pg from 'pg'
import { expect, inject, onTestFinished, test } from 'vitest'
import { parseDatabaseUrl } from '../../src/platform/postgres/connection.js'
import { Database } from '../../src/platform/postgres/database.js'
import { OWN_SETTINGS } from '../../src/platform/postgres/settings.js'
import { sql } from '../../src/platform/postgres/sql.js'
import { exactTypes } from '../../src/platform/postgres/types.js'
import { open } from '../failures/serving.js'
import { OperatorFolder } from '../migrations/operator-folder.js'
import { runCommand } from '../support/cli.js'
import { createDatabase, type TestDatabase } from '../support/database.js'
import { PgBouncer } from '../support/pgbouncer.js'
import { ELSEWHERE, goRound } from './round.js'
import { DEFAULTS, knownDefaults, setDefault } from './table.js'

const TABLE = 'public.of_the_operator'

/** It is looked into over a connection that was there before any default was set. */
async function newDatabase(options: { empty?: boolean } = {}): Promise<TestDatabase> {
  const database = await createDatabase(options)
  const observer = new pg.Client({ connectionString: database.url, types: exactTypes })
  await observer.connect()
  onTestFinished(async () => {
    await observer.end()
    await database.drop()
  })
  await observer.query(ELSEWHERE)
  return { ...database, query: async (text, values) => (await observer.query(text, values)).rows }
}

const folder = new OperatorFolder()
folder.write('1001_make_a_table', `-- description: one table\ncreate table ${TABLE} (id bigint);`)

/** Starts the product on the database, goes a round, and ends it. */
async function live(database: TestDatabase, env: Record<string, string> = {}): Promise<void> {
  const served = await open(env.DATABASE_URL ?? database.url, { ...folder.env, ...env })
  try {
    await goRound(served, TABLE, database)
  } finally {
    await served.close()
  }
}

/** What a setting is in a transaction of the product. */
async function ownValue(url: string, name: string): Promise<string | undefined> {
  const pool = new Database({ endpoint: parseDatabaseUrl(url), poolMax: 1 })
  try {
    const [row] = await pool.many(
      sql<{ value: string | null }>`select current_setting(${name}::text, true) as value`,
    )
    // Names in lists may be quoted.
    return row?.value?.replaceAll('"', '')
  } finally {
    await pool.close()
  }
}

const LIMITS = /timeout$|^default_transaction/

test.each(DEFAULTS.map((one, index) => [...one, index % 2 ? 'database' : 'role'] as const))(
  '%s = %s of the %s changes nothing',
  async (name, value, by) => {
    const database = await newDatabase()
    const isKnown = (await knownDefaults(database)).some(([known]) => known === name)
    if (isKnown) await setDefault(database, [name, value], by)
    await live(database)
    if (name in OWN_SETTINGS && !LIMITS.test(name)) {
      expect(await ownValue(database.url, name)).toBe(OWN_SETTINGS[name])
    }
  },
)

test.each(['database', 'role'] as const)(
  'all of them at once, of the %s, do not keep an empty database from being migrated',
  async (by) => {
    const database = await newDatabase({ empty: true })
    for (const one of await knownDefaults(database)) await setDefault(database, one, by)
    await live(database)
  },
)

test('nor do they through a pooler', async () => {
  const bouncer = await PgBouncer.forThisTest()
  const database = await newDatabase()
  for (const one of await knownDefaults(database)) await setDefault(database, one, 'database')
  const env = { DATABASE_URL: bouncer.url(database.name), DATABASE_DIRECT_URL: database.url }
  await live(database, env)
  for (const [name] of await knownDefaults(database)) {
    if (!(name in OWN_SETTINGS) || LIMITS.test(name)) continue
    expect(await ownValue(env.DATABASE_URL, name)).toBe(OWN_SETTINGS[name])
  }
})

test('the doctor names what it overrides and what is in effect', async () => {
  const database = await newDatabase()
  await setDefault(database, ['app.key', 'hunter2'], 'role')
  await setDefault(database, ['statement_timeout', '50ms'], 'database')
  await setDefault(database, ['enable_seqscan', 'off'], 'role')
  const env = { DATABASE_URL: database.url, REDIS_URL: `unix://${inject('redisPath')}` }
  const result = await runCommand(['doctor', '--json'], env)
  const found = JSON.parse(result.stdout).findings.find(
    ({ check }: { check: string }) => check === 'Defaults of the role',
  )
  expect(found).toEqual({
    check: 'Defaults of the role',
    status: 'warning',
    detail:
      'overridden by this server: statement_timeout = 50ms (database); in effect: enable_seqscan = off (role in this database); also set: app.key',
    fix: `Statements may be slower than they need to be: alter role "catalyst_owner" in database "${database.name}" reset enable_seqscan;`,
  })
  expect(result.stdout).not.toContain('hunter2')
})
