import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect, inject, onTestFinished, test } from 'vitest'
import { runCommand } from '../support/cli.js'
import { createDatabase } from '../support/database.js'

const redis = { REDIS_URL: `unix://${inject('redisPath')}` }

test('status and doctor of a database without our schema create nothing in it, and say so', async () => {
  const empty = await createDatabase({ empty: true })
  onTestFinished(() => empty.drop())
  const env = { DATABASE_URL: empty.url, ...redis }
  const status = await runCommand(['status'], env)
  expect(status.code).toBe(7)
  expect(status.stdout).toMatch(/^degraded\n.*migrations of this version are not applied/)
  await runCommand(['doctor'], env)
  const verified = await runCommand(['audit', 'verify'], env)
  expect(verified.code).toBe(4)
  expect(verified.stderr).toMatch(/The audit log cannot be read: \d+ migrations .* not applied/)
  const schemas = await empty.query(`select 1 from pg_namespace where nspname like 'catalyst%'`)
  expect(schemas).toEqual([])
})

test('audit verify names a schema that belongs to something else', async () => {
  const foreign = await createDatabase({ empty: true })
  onTestFinished(() => foreign.drop())
  await foreign.query('create schema catalyst create table things (id int)')
  const { code, stderr } = await runCommand(['audit', 'verify'], { DATABASE_URL: foreign.url })
  expect(stderr).toContain('The schema "catalyst" of this database belongs to something else')
  expect(code).toBe(4)
})

test('where there is no data directory, they say so and make none', async () => {
  const parent = mkdtempSync(join(tmpdir(), 'looking-'))
  onTestFinished(() => rmSync(parent, { recursive: true, force: true }))
  const CATALYST_DATA_DIR = join(parent, 'data')
  const commands = ['status', 'doctor', 'audit verify']
  const migrate = ['status', 'history', 'down --target 3', 'repair', 'repair --yes']
  for (const command of [...commands, ...migrate.map((name) => `migrate ${name}`)]) {
    const { code, stdout, stderr } = await runCommand(command.split(' '), { CATALYST_DATA_DIR })
    expect(stdout + stderr, command).toContain(`${CATALYST_DATA_DIR}/embedded does not exist`)
    expect(stdout + stderr, command).toContain('catalyst-db serve')
    expect(code, command).toBe(4)
    expect(existsSync(CATALYST_DATA_DIR), command).toBe(false)
  }
  const linted = await runCommand(['migrate', 'lint'], { CATALYST_DATA_DIR })
  expect(linted).toMatchObject({ code: 0, stdout: '0 files, nothing found\n' })
  expect(readdirSync(parent)).toEqual([])
})

test('beside an external database they start no cache and make no data directory', async () => {
  const parent = mkdtempSync(join(tmpdir(), 'looking-'))
  onTestFinished(() => rmSync(parent, { recursive: true, force: true }))
  const database = await createDatabase()
  onTestFinished(() => database.drop())
  const env = { DATABASE_URL: database.url, CATALYST_DATA_DIR: join(parent, 'data') }
  for (const command of ['migrate status', 'migrate history', 'audit verify', 'status']) {
    const { code } = await runCommand(command.split(' '), env)
    expect(code, command).toBeLessThan(2)
    expect(readdirSync(parent), command).toEqual([])
  }
})

test('a data directory that this user may not look into is not said to be missing', async () => {
  const parent = mkdtempSync(join(tmpdir(), 'looking-'))
  onTestFinished(() => rmSync(parent, { recursive: true, force: true }))
  const env = { CATALYST_DATA_DIR: join(parent, 'data') }
  mkdirSync(join(env.CATALYST_DATA_DIR, 'embedded'), { recursive: true })
  for (const closed of [env.CATALYST_DATA_DIR, join(env.CATALYST_DATA_DIR, 'embedded')]) {
    chmodSync(closed, 0)
    for (const command of ['status', 'doctor', 'migrate status', 'audit verify']) {
      const { status, stdout, stderr } = unprivileged(command, env)
      expect(stdout + stderr, command).toContain('this user may not look into it')
      expect(stdout + stderr, command).toContain('Run the command as the user of the server')
      expect(status, command).toBe(4)
    }
    chmodSync(closed, 0o700)
  }
})

/** Runs a command as somebody for whom the modes of files count. */
function unprivileged(command: string, env: Record<string, string>) {
  const asNobody = ['unshare', '--user', '--map-user=65534', '--map-group=65534', '--']
  const [program = '', ...args] = [
    ...(process.getuid?.() === 0 ? asNobody : []),
    ...[process.execPath, resolve('dist/main.js'), ...command.split(' ')],
  ]
  return spawnSync(program, args, { env: { PATH: process.env.PATH, ...env }, encoding: 'utf8' })
}
