import pg from 'pg'
import { expect, inject, test } from 'vitest'
import { keepPartitions } from '../../src/domains/market/partition-keeper.js'
import { Partitions } from '../../src/domains/market/partitions.js'
import { Ending } from '../../src/kernel/ending.js'
import { Loops } from '../../src/kernel/loops.js'
import { createLog } from '../../src/platform/log.js'
import { parseDatabaseUrl } from '../../src/platform/postgres/connection.js'
import { Database } from '../../src/platform/postgres/database.js'
import { databaseOutage } from '../../src/platform/postgres/outage.js'
import { startApp } from '../support/app.js'
import { runCommand } from '../support/cli.js'
import { createDatabase, type TestDatabase } from '../support/database.js'
import { waitFor } from '../support/wait-for.js'

const redis = { REDIS_URL: `unix://${inject('redisPath')}` }

const month = (ahead: number): string => {
  const now = new Date()
  const first = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + ahead))
  return first.toISOString().slice(0, 7).replace('-', '')
}

const dropMonths = async (database: TestDatabase, ...aheads: number[]) => {
  for (const ahead of aheads) {
    await database.query(`drop table catalyst.price_bars_${month(ahead)}`)
    await database.query(`drop table catalyst.technical_indicators_${month(ahead)}`)
  }
}

const partitions = async (database: TestDatabase) => {
  const rows = await database.query<{ name: string }>(
    `select c.relname as name
     from pg_inherits i
     join pg_class c on c.oid = i.inhrelid
     where i.inhparent in ('catalyst.price_bars'::regclass, 'catalyst.technical_indicators'::regclass)
     order by c.relname`,
  )
  return rows.map(({ name }) => name)
}

const all = ['price_bars', 'technical_indicators'].flatMap((table) =>
  [0, 1, 2].map((ahead) => `${table}_${month(ahead)}`),
)

const partitionFinding = async (database: TestDatabase) => {
  const result = await runCommand(['doctor', '--json'], { DATABASE_URL: database.url, ...redis })
  const { findings } = JSON.parse(result.stdout)
  return findings.find(({ check }: { check: string }) => check === 'Partitions')
}

test('a server that starts makes the partitions of this month and the next two', async () => {
  const database = await createDatabase()
  await dropMonths(database, 0, 1, 2)
  const app = await startApp({ database })
  await waitFor(async () => (await partitions(database)).length === 6)
  expect(await partitions(database)).toEqual(all)
  await app.close()
  await database.drop()
})

test('the doctor names the months that are missing, this one as a problem', async () => {
  const database = await createDatabase()
  expect(await partitionFinding(database)).toMatchObject({ status: 'ok', fix: null })
  await dropMonths(database, 1)
  expect(await partitionFinding(database)).toMatchObject({
    status: 'warning',
    detail: expect.stringContaining(`price_bars_${month(1)}, technical_indicators_${month(1)}`),
    fix: expect.stringContaining('start'),
  })
  await dropMonths(database, 0)
  expect(await partitionFinding(database)).toMatchObject({
    status: 'problem',
    detail: expect.stringContaining(`price_bars_${month(0)}`),
  })
  await database.drop()
})

test('the doctor says nothing of partitions where there are no tables yet', async () => {
  const database = await createDatabase({ empty: true })
  expect(await partitionFinding(database)).toBeUndefined()
  await database.drop()
})

test('what cannot be made now is made later', async () => {
  const database = await createDatabase()
  await dropMonths(database, 2)
  const store = new Database({ endpoint: parseDatabaseUrl(database.url), poolMax: 2 })
  const made = new Partitions({ database: store })
  const blocker = new pg.Client({ connectionString: database.url })
  await blocker.connect()
  await blocker.query('alter function catalyst.ensure_month_partitions rename to away')
  const log = createLog('silent')
  const ending = new Ending()
  const loops = new Loops(databaseOutage(log), ending)
  const clock = { now: () => new Date() }
  keepPartitions({ partitions: made, clock, loops, migrated: Promise.resolve(), log })
  loops.begin()
  const attempts = () =>
    database.query('select 1 from pg_stat_database where xact_rollback > 0 and datname = $1', [
      database.name,
    ])
  await waitFor(async () => (await attempts()).length > 0)
  expect(await partitions(database)).toHaveLength(4)
  await blocker.query('alter function catalyst.away rename to ensure_month_partitions')
  await waitFor(async () => (await partitions(database)).length === 6)
  await ending.run()
  await Promise.all([made.close(), blocker.end()])
  await database.drop()
})
