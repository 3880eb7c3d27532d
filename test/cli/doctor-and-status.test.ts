import { expect, inject, test } from 'vitest'
import { runCommand } from '../support/cli.js'
import { Cluster } from '../support/cluster.js'
import { createDatabase } from '../support/database.js'

const redis = { REDIS_URL: `unix://${inject('redisPath')}` }

test('status of a healthy database says so, as a table and as JSON', async () => {
  // On a server of its own: what other tests do to theirs would be in the verdict.
  const env = { DATABASE_URL: (await Cluster.start()).url, ...redis }
  expect((await runCommand(['migrate', 'up'], env)).code).toBe(0)
  const table = await runCommand(['status'], env)
  expect(table.code).toBe(0)
  expect(table.stdout).toMatch(/^healthy\n/)
  expect(table.stdout).toMatch(/PostgreSQL\s+up\s+external \d+/)
  const json = await runCommand(['status', '--json'], env)
  expect(JSON.parse(json.stdout)).toMatchObject({ status: 'healthy', reasons: [] })
})

test('status exits with 4 when PostgreSQL is down, and says so', async () => {
  const result = await runCommand(['status'], {
    DATABASE_URL: 'postgresql://127.0.0.1:1/db',
    ...redis,
  })
  expect(result.code).toBe(4)
  expect(result.stdout).toContain('PostgreSQL is down: Nothing listens')
  expect(result.stdout).toContain('correct host and port in DATABASE_URL')
})

test('the doctor names every problem with its fix, changes nothing, and shows no secret', async () => {
  const empty = await createDatabase({ empty: true })
  await empty.query(`create role weak login`)
  await empty.query(`revoke create on database ${empty.name} from public`)
  const url = empty.url.replace('catalyst_owner@', 'weak:hunter2@')
  const result = await runCommand(['doctor'], { DATABASE_URL: url, ...redis })
  expect(result.code).toBe(7)
  expect(result.stdout).toContain(`grant create on database "${empty.name}" to "weak"`)
  expect(result.stdout).toContain('pg_monitor')
  expect(result.stdout + result.stderr).not.toContain('hunter2')
  const schemas = await empty.query(`select 1 from pg_namespace where nspname = 'catalyst'`)
  expect(schemas).toEqual([])
  await empty.query('drop role weak')
})

test('the doctor says what cannot be reached, without the driver’s words', async () => {
  const result = await runCommand(['doctor', '--json'], {
    DATABASE_URL: 'postgresql://trader:hunter2@127.0.0.1:1/db',
    REDIS_URL: 'redis://127.0.0.1:1',
  })
  expect(result.code).toBe(4)
  const { findings } = JSON.parse(result.stdout)
  expect(findings).toContainEqual(
    expect.objectContaining({ check: 'PostgreSQL', status: 'problem', fix: expect.any(String) }),
  )
  expect(findings).toContainEqual(expect.objectContaining({ check: 'Cache', status: 'warning' }))
  expect(result.stdout + result.stderr).not.toContain('hunter2')
})
