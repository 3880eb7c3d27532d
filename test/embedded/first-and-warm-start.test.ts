import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { joinEmbedded } from '../../src/platform/embedded/services.js'
import { collectLog, homeOf, newDataDir, postmasterOf, query } from '../support/embedded.js'

test('the first start creates a private database with the settings the product needs', async () => {
  const dataDir = newDataDir()
  const begun = Date.now()
  const services = await joinEmbedded({ dataDir, postgres: true, redis: false, ...collectLog() })
  const { postgres } = services
  if (!postgres) throw new Error('no postgres')

  expect(postgres).toMatchObject({ version: expect.stringMatching(/^\d+\.\d+$/), adopted: false })
  // Told in whole seconds.
  expect(postgres.since.getTime()).toBeGreaterThan(begun - 1_000)
  expect(postgres.since.getTime()).toBeLessThanOrEqual(Date.now())
  expect(services.redis).toBeNull()
  expect(statSync(dataDir).mode & 0o777).toBe(0o700)
  const settings = `select current_database() as database, current_user as role,
    current_setting('listen_addresses') as addresses, current_setting('fsync') as fsync,
    current_setting('wal_level') as wal_level, current_setting('data_checksums') as checksums,
    current_setting('TimeZone') as zone, current_setting('server_encoding') as encoding`
  expect(await query(postgres.connectionString, settings)).toEqual([
    {
      database: 'catalyst',
      role: 'catalyst_owner',
      addresses: '',
      fsync: 'on',
      wal_level: 'logical',
      checksums: 'on',
      zone: 'UTC',
      encoding: 'UTF8',
    },
  ])
  expect(
    await query(postgres.connectionString, 'select count(*) > 0 as some from pg_stat_statements'),
  ).toEqual([{ some: true }])
  await services.release()
})

test('the connection string holds against PG* variables of the environment', async () => {
  const dataDir = newDataDir()
  vi.stubEnv('PGPORT', '1').stubEnv('PGSSLMODE', 'require').stubEnv('PGDATABASE', 'other')
  const services = await joinEmbedded({ dataDir, postgres: true, redis: false, ...collectLog() })
  expect(await query(services.postgres?.connectionString ?? '', 'select 1 as one')).toEqual([
    { one: 1 },
  ])
  vi.unstubAllEnvs()
  await services.release()
})

test('a warm start neither creates nor recovers anything and finds the data; the last to leave stops it', async () => {
  const dataDir = newDataDir()
  const first = await joinEmbedded({ dataDir, postgres: true, redis: false, ...collectLog() })
  await query(first.postgres?.connectionString ?? '', 'create table kept as select 42 as answer')
  await first.release()
  await first.release()
  expect(postmasterOf(dataDir)).toBeNull()

  const { lines, log } = collectLog()
  const second = await joinEmbedded({ dataDir, postgres: true, redis: false, log })
  expect(lines.map(({ message }) => message)).toEqual([
    `Started embedded PostgreSQL ${first.postgres?.version}`,
  ])
  const said = readFileSync(join(homeOf(dataDir).root, 'postgres.log'), 'utf8')
  expect(said.split('starting PostgreSQL').at(-1)).toContain('database system was shut down at')
  expect(await query(second.postgres?.connectionString ?? '', 'select answer from kept')).toEqual([
    { answer: 42 },
  ])
  await second.release()
  await expect(query(second.postgres?.connectionString ?? '', 'select 1')).rejects.toMatchObject({
    code: 'ENOENT',
  })
})

test('a path too long for a socket gets a private short one', async () => {
  const dataDir = newDataDir('a'.repeat(120))
  const services = await joinEmbedded({ dataDir, postgres: true, redis: true, ...collectLog() })
  const sockets = postmasterOf(dataDir)?.sockets ?? ''
  expect(sockets).toMatch(/^\/(tmp|var\/run)\/catalyst-db-\d+-[0-9a-f]{16}$/)
  expect(statSync(sockets).mode & 0o777).toBe(0o700)
  expect(services.redis?.path.startsWith(sockets)).toBe(true)
  expect(await query(services.postgres?.connectionString ?? '', 'select 1 as one')).toHaveLength(1)
  await services.release()
})
