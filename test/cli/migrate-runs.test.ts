import { writeFileSync } from 'node:fs'
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
const migrate = (args: readonly string[], more: Record<string, string> = {}) =>
  runCommand(['migrate', ...args], { ...env, ...more })
const json = async (args: readonly string[]) =>
  JSON.parse((await migrate([...args, '--json'])).stdout)
const [row] = await database.query<{ version: number }>(
  'select max(version) as version from catalyst.schema_migrations',
)
const builtIn = row?.version

test('a migration is created from files, tried, applied and shown', async () => {
  const [up, down] = ['up.sql', 'down.sql'].map((file) => join(folder.path, '..', file))
  writeFileSync(up ?? '', 'create table public.tags (id bigint primary key);')
  writeFileSync(down ?? '', 'drop table public.tags;')
  const created = await migrate(['create', 'add_tags', '--up', up ?? '', '--down', down ?? ''])
  expect(created).toMatchObject({ code: 0, stderr: '' })
  expect(created.stdout).toContain(join(folder.path, '1000_add_tags.up.sql'))
  expect(created.stdout).toContain(join(folder.path, '1000_add_tags.down.sql'))
  const pending = await migrate(['status'])
  expect(pending).toMatchObject({ code: 0 })
  expect(pending.stdout).toMatch(new RegExp(`^version ${builtIn}, 1 pending\n`))
  expect(pending.stdout).toMatch(/1000\s+add_tags/)
  const tried = await migrate(['up', '--dry-run'])
  expect(tried.code).toBe(0)
  expect(tried.stdout).toMatch(/1000\s+add_tags\s+dry run\s+\S+ ms\s+1/)
  const applied = await migrate(['up'])
  expect(applied.code).toBe(0)
  expect(applied.stdout).toMatch(/1000\s+add_tags\s+applied/)
  expect(applied.stdout).toMatch(/version 1000\n$/)
  expect(applied.stderr).toMatch(/\[1\/1\]/)
  const [entry] = await database.query(
    'select applied_by from catalyst.schema_migrations where version = 1000',
  )
  expect(entry).toEqual({ applied_by: 'cli' })
  const again = await migrate(['up'])
  expect(again).toMatchObject({ code: 0, stdout: 'Nothing was pending.\nversion 1000\n' })
})

test('without a terminal what loses data needs --yes, and the next command is told', async () => {
  folder.write('1001_drop_tags', 'drop table public.tags;', 'create table public.tags (id bigint);')
  folder.write('1002_more', 'create table public.more ();', 'drop table public.more;')
  const refused = await migrate(['up', '--target', '1001'])
  expect(refused.code).toBe(5)
  expect(refused.stdout).toContain('table public.tags is dropped, with 0 rows.')
  expect(refused.stderr).toContain('catalyst-db migrate up --target 1001 --yes')
  const asJson = await migrate(['up', '--json'])
  expect(asJson.code).toBe(5)
  expect(JSON.parse(asJson.stdout)).toMatchObject({
    status: 'confirmation_required',
    message: expect.stringContaining('table public.tags is dropped'),
    plan: { new_version: 1_002, losses: [{ version: 1_001 }], findings: [] },
    next: 'catalyst-db migrate up --target 1002 --yes',
  })
  expect((await json(['status'])).current_version).toBe(1_000)
  const done = await migrate(['up', '--target', '1001', '--yes'])
  expect([done.code, done.stderr]).toEqual([0, expect.stringContaining('[1/1]')])
  expect(done.stdout).toMatch(/version 1001\n$/)
})

test('down needs a target and a yes, and says what it has undone', async () => {
  expect((await migrate(['down'])).code).toBe(2)
  const refused = await migrate(['down', '--target', String(builtIn)])
  expect(refused.code).toBe(5)
  expect(refused.stderr).toContain(`catalyst-db migrate down --target ${builtIn} --yes`)
  const done = await migrate(['down', '--target', String(builtIn), '--yes'])
  expect(done).toMatchObject({
    code: 0,
    stdout: `rolled back 1001, 1000\nversion ${builtIn}\n`,
  })
  expect(await migrate(['down', '--target', String(builtIn), '--yes'])).toMatchObject({
    code: 0,
    stdout: `nothing to undo\nversion ${builtIn}\n`,
  })
})

test('a policy that refuses is stronger than --yes', async () => {
  const policy = join(folder.path, '..', 'policy.toml')
  writeFileSync(policy, '[migrations]\ndestructive = "refuse"\n')
  await migrate(['up', '--target', '1000'])
  const refused = await migrate(['up', '--target', '1001', '--yes'], {
    CATALYST_POLICY_FILE: policy,
  })
  expect(refused).toMatchObject({ code: 5, stdout: '' })
  expect(refused.stderr).toContain('The policy refuses')
})

test('a failing migration exits with 1 and names file, statement and next command', async () => {
  folder.write('1003_fails', 'create table public.ok ();\nselect 1 / 0;')
  await migrate(['up', '--target', '1002', '--yes'])
  const failed = await migrate(['up'])
  expect(failed.code).toBe(1)
  expect(failed.stderr).toContain('1003_fails')
  expect(failed.stderr).toContain('division by zero')
  expect(await database.query(`select to_regclass('public.ok') as ok`)).toEqual([{ ok: null }])
})

test.each([
  [['up', '--target', 'x'], 2],
  [['up', '--target', '99999999999'], 2],
  [['sideways'], 2],
  [['create', '../x', '--up', '/dev/null'], 2],
  [['create', 'x', '--up', '/no/such/file'], 1],
  [['lint', '/no/such/file'], 1],
])('%j exits with %i and says why', async (args, code) => {
  const result = await migrate(args)
  expect([result.code, result.stdout]).toEqual([code, ''])
  expect(result.stderr).not.toContain('    at ')
  expect(result.stderr.length).toBeGreaterThan(20)
})

test('a database that cannot be reached exits with 4', async () => {
  const result = await migrate(['status'], { DATABASE_URL: 'postgresql://127.0.0.1:1/db' })
  expect(result.code).toBe(4)
})

test.each(['status', 'up', 'down', 'create', 'lint', 'baseline', 'repair'])(
  'migrate %s --help explains itself',
  async (command) => {
    const { code, stdout } = await migrate([command, '--help'])
    expect(code).toBe(0)
    expect(stdout).toContain('--json')
    expect(stdout).toMatch(/Example|Exits|Changes/)
  },
)
