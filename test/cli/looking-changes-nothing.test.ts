import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, inject, onTestFinished, test } from 'vitest'
import { runCommand } from '../support/cli.js'
import { createDatabase } from '../support/database.js'

const redis = { REDIS_URL: `unix://${inject('redisPath')}` }

test('status and doctor of a database without our schema create nothing in it, and say so', {
  timeout: 120_000,
}, async () => {
  const empty = await createDatabase({ empty: true })
  onTestFinished(() => empty.drop())
  const env = { DATABASE_URL: empty.url, ...redis }
  const status = await runCommand(['status'], env)
  expect(status.code).toBe(7)
  expect(status.stdout).toMatch(/^degraded\n.*migrations of this version are not applied/)
  await runCommand(['doctor'], env)
  const schemas = await empty.query(`select 1 from pg_namespace where nspname like 'catalyst%'`)
  expect(schemas).toEqual([])
})

test('where there is no data directory, they say so and make none', {
  timeout: 120_000,
}, async () => {
  const parent = mkdtempSync(join(tmpdir(), 'looking-'))
  onTestFinished(() => rmSync(parent, { recursive: true, force: true }))
  const CATALYST_DATA_DIR = join(parent, 'data')
  for (const command of ['status', 'doctor']) {
    const { code, stdout } = await runCommand([command], { CATALYST_DATA_DIR })
    expect(stdout).toContain(`${CATALYST_DATA_DIR}/embedded does not exist`)
    expect(stdout).toContain('catalyst-db serve')
    expect(code).toBe(4)
    expect(existsSync(CATALYST_DATA_DIR)).toBe(false)
  }
  expect(readdirSync(parent)).toEqual([])
})
