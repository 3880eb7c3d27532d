import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join, resolve } from 'node:path'
import { expect, inject, test } from 'vitest'
import { isThere, OperatorFolder } from '../migrations/operator-folder.js'
import { Command, runCommand } from '../support/cli.js'
import { createDatabase } from '../support/database.js'
import { freshMachine, serve } from '../support/fresh-machine.js'
import { waitFor } from '../support/wait-for.js'

test('a signal stops the running statement, keeps what is whole, and says how to go on', async () => {
  const folder = new OperatorFolder()
  const database = await createDatabase()
  const env = {
    ...folder.env,
    DATABASE_URL: database.url,
    REDIS_URL: `unix://${inject('redisPath')}`,
  }
  folder.write('1000_whole', 'create table public.whole ();', 'drop table public.whole;')
  folder.write('1001_slow', 'create table public.half ();\nselect pg_sleep(60);', 'select 1;')
  const command = new Command(['migrate', 'up'], env)
  await waitFor(() => command.stderr.includes('1001_slow.up.sql: statement 1 of 2'))
  command.kill('SIGINT')
  const { code, stderr } = await command.ended
  expect(code).toBe(130)
  expect(stderr).toContain('Run "catalyst-db migrate up" to go on.')
  expect(await isThere(database, 'public.whole')).toBe(true)
  expect(await isThere(database, 'public.half')).toBe(false)
  const status = await runCommand(['migrate', 'status'], env)
  expect(status).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('version 1000, 1 pending'),
  })
  await database.drop()
})

test('on embedded services it works without a server and beside one, which is told', async () => {
  const { env } = freshMachine()
  const tried = await runCommand(['migrate', 'up', '--dry-run'], env)
  expect(tried).toMatchObject({ code: 0, stdout: expect.stringMatching(/create_jobs\s+dry run/) })
  const untouched = await runCommand(['migrate', 'status'], env)
  expect(untouched.stdout).toMatch(/^version 0, \d+ pending\n/)
  const alone = await runCommand(['migrate', 'up'], env)
  expect(alone.code).toBe(0)
  expect(alone.stdout).toMatch(/create_foundation\s+applied/)
  const { command, client } = await serve(env)
  const own = join(env.CATALYST_DATA_DIR ?? '', 'migrations')
  const { migration_file } = await client.tool('create_migration', {
    name: 'add_tags',
    up_sql: 'create table public.tags (id bigint primary key);',
    down_sql: 'drop table public.tags;',
  })
  expect(migration_file).toBe(join(own, '1000_add_tags.up.sql'))
  const beside = await runCommand(['migrate', 'up', '--json'], env)
  expect(JSON.parse(beside.stdout)).toMatchObject({ new_version: 1_000 })
  const told = await waitFor(async () => {
    const { events } = await client.tool('list_events', { types: ['migration.applied'] })
    return events.find(({ data }: { data: { version: number } }) => data.version === 1_000)
  })
  expect(told.data).toMatchObject({ name: 'add_tags', direction: 'up', by: 'cli' })
  expect((await client.resource('db/status')).schema_version).toBe(1_000)
  command.kill('SIGTERM')
  await command.ended
})

const hasTerminals = spawnSync('script', ['--version']).status === 0

test.skipIf(!hasTerminals)('at a terminal it asks, and only a yes is a yes', async () => {
  const folder = new OperatorFolder()
  const database = await createDatabase()
  folder.write('1000_add_tags', 'create table public.tags ();', 'drop table public.tags;')
  folder.write('1001_drop_tags', 'drop table public.tags;', 'create table public.tags ();')
  const env = {
    ...folder.env,
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    DATABASE_URL: database.url,
    REDIS_URL: `unix://${inject('redisPath')}`,
  }
  const up = `${process.execPath} ${resolve('dist/main.js')} migrate up`
  const answered = (input: string) =>
    spawnSync('script', ['-qec', up, '/dev/null'], { env, input, encoding: 'utf8' })
  const no = answered('no\n')
  expect([no.status, no.stdout]).toEqual([5, expect.stringContaining('Type "yes" to do it:')])
  expect(no.stdout).toContain('Not confirmed; nothing was done.')
  // What is typed before the question is a line of input; these two keys are meant for the question.
  for (const [key, exitCode] of [
    ['\u0004', 5],
    ['\u0003', 130],
  ] as const) {
    const terminal = spawn('script', ['-qec', up, '/dev/null'], { env })
    let seen = ''
    terminal.stdout.on('data', (chunk) => {
      seen += chunk
    })
    await waitFor(() => seen.includes('Type "yes" to do it:'), { timeoutMs: 60_000 })
    terminal.stdin.write(key)
    const [code] = await once(terminal, 'close')
    expect([key, code]).toEqual([key, exitCode])
    expect(seen).not.toMatch(/^\s+at /m)
  }
  const yes = answered('yes\n')
  expect([yes.status, yes.stdout]).toEqual([0, expect.stringContaining('version 1001')])
  await database.drop()
})
