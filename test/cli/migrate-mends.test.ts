import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, inject, test } from 'vitest'
import { OperatorFolder } from '../migrations/operator-folder.js'
import { runCommand } from '../support/cli.js'
import { createDatabase } from '../support/database.js'

const folder = new OperatorFolder()
const database = await createDatabase()
const env = {
  ...folder.env,
  DATABASE_URL: database.url,
  REDIS_URL: `unix://${inject('redisPath')}`,
}
const migrate = (...args: readonly string[]) => runCommand(['migrate', ...args], env)
const log = () =>
  database.query(
    `select version, direction, applied_by from catalyst.schema_migration_log
     where version >= 1000 order by log_id`,
  )

test('baseline notes what the database has already, and runs nothing', async () => {
  await database.query('create table public.tags (id bigint primary key)')
  folder.write('1000_add_tags', 'create table public.tags (id bigint primary key);')
  folder.write('1001_add_more', 'create table public.more (id bigint primary key);')
  expect((await migrate('baseline')).code).toBe(2)
  expect(await migrate('baseline', '--version', '1000')).toMatchObject({
    code: 0,
    stdout: 'noted as applied: 1000\n',
  })
  const again = await migrate('baseline', '--version', '1000')
  expect([again.code, again.stdout]).toEqual([2, ''])
  expect(again.stderr).toContain('No pending migration of yours has version 1000.')
  expect(await migrate('up')).toMatchObject({ code: 0 })
  expect(await log()).toEqual([
    { version: 1_000, direction: 'baseline', applied_by: 'cli' },
    { version: 1_001, direction: 'up', applied_by: 'cli' },
  ])
})

test('an edited and a missing file are problems until a repair that was confirmed row by row', async () => {
  folder.write('1000_add_tags', '-- said later\ncreate table public.tags (id bigint primary key);')
  rmSync(join(folder.path, '1001_add_more.up.sql'))
  const status = await migrate('status')
  expect(status.code).toBe(7)
  expect(status.stdout).toContain('checksum_mismatch: Migration 1000 (add_tags) was edited')
  expect(status.stdout).toContain('missing_file: Migration 1001 (add_more)')
  expect(status.stdout).toContain('catalyst-db migrate repair')

  const listed = await migrate('repair')
  expect(listed.code).toBe(5)
  expect(listed.stdout).toMatch(/row 1000: up_sha256 [0-9a-f]{64} -> [0-9a-f]{64}/)
  expect(listed.stdout).toContain('row 1001 is removed')
  expect(listed.stderr).toContain('catalyst-db migrate repair --yes')
  expect((await migrate('status')).code).toBe(7)

  const repaired = await migrate('repair', '--yes', '--json')
  expect(repaired.code).toBe(0)
  expect(JSON.parse(repaired.stdout)).toMatchObject({
    changes: [
      { version: 1_000, problem: 'checksum_mismatch' },
      { version: 1_001, problem: 'missing_file' },
    ],
  })
  expect(await migrate('repair')).toMatchObject({ code: 0, stdout: 'nothing to repair\n' })
  expect(await migrate('status')).toMatchObject({ code: 0, stdout: 'version 1000, 0 pending\n' })
  expect((await log()).slice(2)).toEqual([
    { version: 1_000, direction: 'repair', applied_by: 'cli' },
    { version: 1_001, direction: 'repair', applied_by: 'cli' },
  ])
})
