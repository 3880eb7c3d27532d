import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { OperatorFolder } from './operator-folder.js'

const folder = new OperatorFolder()
const app = await startApp({ env: folder.env })
const { client } = app
const read = (file: string) => readFile(join(folder.path, file), 'utf8')

test('the files say what was asked for, and the answer where they are', async () => {
  const created = await client.tool('create_migration', {
    name: 'add_tags',
    description: 'Tags of trades',
    up_sql: 'create table public.tags (\r\n  id bigint primary key\r\n);',
    down_sql: 'drop table public.tags;\n\n',
  })
  expect(created).toEqual({
    migration_file: join(folder.path, '1000_add_tags.up.sql'),
    version: 1_000,
    lint: [],
  })
  expect(folder.files).toEqual(['1000_add_tags.down.sql', '1000_add_tags.up.sql'])
  expect(await read('1000_add_tags.up.sql')).toBe(
    '-- description: Tags of trades\ncreate table public.tags (\n  id bigint primary key\n);\n',
  )
  expect(await read('1000_add_tags.down.sql')).toBe('drop table public.tags;\n')
  expect((await client.resource('db/migrations/status')).pending_migrations).toEqual([
    { version: 1_000, name: 'add_tags', description: 'Tags of trades' },
  ])
})

test('what the linter finds is told with the lines of the file, and does not hinder the writing', async () => {
  const { version, lint } = await client.tool('create_migration', {
    name: 'index_tags',
    description: 'An index',
    up_sql: '\n\ncreate index tags_id on public.labels (id);',
    down_sql: '',
  })
  expect(await read(`${version}_index_tags.up.sql`)).toBe(
    '-- description: An index\n-- irreversible: it was written without a down script\n\n\ncreate index tags_id on public.labels (id);\n',
  )
  expect(lint).toContainEqual(
    expect.objectContaining({
      rule: 'require-concurrent-index-creation',
      severity: 'block',
      statement: 1,
      line: 5,
      lock: 'SHARE on public.labels',
    }),
  )
})

test('a reason given in the header stays the reason', async () => {
  const up_sql = '-- transaction: none\n-- irreversible: it counts money\n\nanalyze'
  const { version } = await client.tool('create_migration', { name: 'x', up_sql, down_sql: ' ' })
  expect(await read(`${version}_x.up.sql`)).toBe(`${up_sql}\n`)
})

test('servers that create at once in one folder take different versions', async () => {
  const other = await startApp({ env: folder.env, database: app.database })
  const before = folder.files.length
  const create = (_: unknown, index: number) =>
    [client, other.client][index % 2]?.tool('create_migration', {
      name: 'at_once',
      up_sql: `select ${index};`,
      down_sql: 'select 1;',
    })
  const created = await Promise.all(Array.from({ length: 12 }, create))
  expect(new Set(created.map(({ version }) => version)).size).toBe(12)
  expect(folder.files).toHaveLength(before + 24)
  for (const [index, { migration_file }] of created.entries()) {
    expect(await readFile(migration_file, 'utf8')).toBe(`select ${index};\n`)
  }
  const { problems } = await client.resource('db/migrations/status')
  expect(problems).toEqual([])
})

test('half of a migration, as a crash leaves it, is explained and never run', async () => {
  const lonely = new OperatorFolder()
  lonely.write('1000_lost', 'select 1', 'drop table lost')
  const { client: own } = await startApp({ env: lonely.env })
  const { rmSync } = await import('node:fs')
  rmSync(join(lonely.path, '1000_lost.up.sql'))
  expect(await own.resource('db/migrations/status')).toMatchObject({
    pending_migrations: [],
    problems: [
      {
        version: 1_000,
        problem: 'unusable_file',
        message: expect.stringContaining('1000_lost.down.sql has no .up.sql'),
        next_step: expect.any(String),
      },
    ],
  })
  const { version } = await own.tool('create_migration', {
    name: 'next',
    up_sql: 'select 1',
    down_sql: '',
  })
  expect(version).toBe(1_001)
})
