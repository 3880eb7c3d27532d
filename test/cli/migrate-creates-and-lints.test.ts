import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, expect, inject, test } from 'vitest'
import { OperatorFolder } from '../migrations/operator-folder.js'
import { runCommand } from '../support/cli.js'
import { createDatabase } from '../support/database.js'

const scratch = mkdtempSync(join(tmpdir(), 'catalyst-lint-'))
afterAll(() => rmSync(scratch, { recursive: true }))
const sqlFile = (name: string, sql: string): string => {
  const path = join(scratch, name)
  writeFileSync(path, sql)
  return path
}

test('without files it lints the folder; without a folder there is nothing to find', async () => {
  const folder = new OperatorFolder()
  expect(await runCommand(['migrate', 'lint'], folder.env)).toMatchObject({
    code: 0,
    stdout: '0 files, nothing found\n',
  })
  folder.write('1000_add_tags', 'create table public.tags (id bigint primary key);', 'select 1;')
  expect(await runCommand(['migrate', 'lint'], folder.env)).toMatchObject({
    code: 0,
    stdout: '1 file, nothing found\n',
  })
  folder.write('1001_index', 'select 1;\ncreate index i on public.news (a);', 'select 1;')
  folder.write('7_mine', 'select 1;')
  const found = await runCommand(['migrate', 'lint'], folder.env)
  expect(found.code).toBe(7)
  expect(found.stdout).toContain(
    '1001_index.up.sql: line 2 block require-concurrent-index-creation: ',
  )
  expect(found.stdout).toContain('7_mine.up.sql has a version outside of 1000')
})

test('what cannot be run at all is named with its place, as JSON too', async () => {
  const broken = sqlFile('broken.sql', 'create table t (\n  oops oops oops\n);')
  const safe = sqlFile('safe.sql', 'create table public.t (id bigint primary key);')
  const found = await runCommand(['migrate', 'lint', '--json', broken, safe], {})
  expect(found.code).toBe(7)
  expect(JSON.parse(found.stdout)).toEqual({
    files: [
      { file: broken, problem: expect.stringContaining('line 2'), lint: [] },
      {
        file: safe,
        problem: null,
        lint: expect.any(Array),
      },
    ],
  })
})

test('an operator may allow what a model may not, and is told that it is allowed', async () => {
  const folder = new OperatorFolder()
  const database = await createDatabase()
  const env = {
    ...folder.env,
    DATABASE_URL: database.url,
    REDIS_URL: `unix://${inject('redisPath')}`,
  }
  const up = sqlFile(
    'up.sql',
    '-- allow: changing-column-type checked by hand\nalter table public.x alter a type int;',
  )
  const created = await runCommand(
    ['migrate', 'create', 'fill_x', '--up', up, '--description', 'Fill x', '--json'],
    env,
  )
  expect(created).toMatchObject({ code: 0, stderr: '' })
  const { migration_file, version, down_file, lint } = JSON.parse(created.stdout)
  expect([version, down_file]).toEqual([1_000, null])
  expect(lint).toContainEqual(
    expect.objectContaining({
      rule: 'changing-column-type',
      severity: 'info',
      message: expect.stringContaining('checked by hand'),
    }),
  )
  expect(readFileSync(migration_file, 'utf8')).toBe(
    '-- description: Fill x\n-- irreversible: it was written without a down script\n-- allow: changing-column-type checked by hand\nalter table public.x alter a type int;\n',
  )
  const piped = spawn(
    process.execPath,
    [resolve('dist/main.js'), 'migrate', 'create', 'from_stdin'],
    { env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env } },
  )
  const ended = once(piped, 'close')
  piped.stdin.end('create table public.y ();')
  expect(await text(piped.stdout)).toContain('1001_from_stdin.up.sql')
  expect((await ended)[0]).toBe(0)
  await database.drop()
})
