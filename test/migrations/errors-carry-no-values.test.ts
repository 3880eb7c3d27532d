import { beforeAll, expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { runCommand } from '../support/cli.js'
import { OperatorFolder } from './operator-folder.js'

const SECRET = 'hunter2'
const folder = new OperatorFolder()
const { client, database } = await startApp({ env: folder.env })

beforeAll(async () => {
  folder.write(
    '1000_vault',
    `create table vault (id bigint primary key, word text not null unique);
     create table other (id bigint primary key, word text references vault (word));
     insert into vault values (1, '${SECRET}');
     create table plain as select word from vault`,
    'select 1',
  )
  await client.tool('run_migrations', {})
})

/** Everything that a client is shown of a failure, by a dry run, a run and the status after it. */
async function shownOf(up: string, down: string | null = null): Promise<string> {
  folder.write('1001_attack', up, down)
  const failures = [
    await client.refused('run_migrations', { dry_run: true }),
    await client.refused('run_migrations', {}),
    await client.resource('db/migrations/status'),
  ]
  return JSON.stringify(failures)
}

const raise = (using: string) => `do $$ begin raise exception ${using}; end $$`
const word = '(select word from vault)'

test.each([
  ['raises it', raise(`'%', ${word}`), 'P0001'],
  ['raises it as a detail', raise(`'x' using detail = ${word}, hint = ${word}`), 'P0001'],
  [
    'raises it as names',
    raise(
      `'x' using errcode = '23505', schema = ${word}, table = ${word}, column = ${word}, constraint = ${word}, datatype = ${word}`,
    ),
    'P0001',
  ],
  ['raises it as an SQLSTATE', raise(`'x' using errcode = upper(left(${word}, 5))`), 'P0001'],
  ['casts it', `select word::int from vault`, '22P02'],
  ['casts it to another type', 'alter table plain alter word type int using word::int', '22P02'],
  ['stores it twice', `insert into vault select 2, word from vault`, '23505'],
  [
    'stores it twice at the end',
    `alter table vault add unique (word) deferrable initially deferred;
     alter table vault drop constraint vault_word_key cascade; insert into vault select 2, word from vault`,
    '23505',
  ],
  ['refers to it in vain', `insert into other select 1, word || '!' from vault`, '23503'],
  [
    'leaves a null beside it',
    `insert into vault (id, word) select null, word || '!' from vault`,
    '23502',
  ],
  [
    'checks it',
    `alter table vault add check (word <> '${SECRET.slice(0, 3)}' || '${SECRET.slice(3)}')`,
    '23514',
  ],
  [
    'makes a table of its name',
    `do $$ declare w text := ${word}; begin
     execute format('create table %I (id int primary key)', w); execute format('insert into %I values (1), (1)', w); end $$`,
    '23505',
  ],
  [
    'looks for it',
    `do $$ declare w text := ${word}; begin execute 'select * from ' || w; end $$`,
    '42P01',
  ],
  [
    'warns of it first',
    `do $$ begin raise warning '%', ${word}; raise log '%', ${word}; end $$; select 1 / 0`,
    '22012',
  ],
])('a script that %s', async (_, up, state) => {
  const shown = await shownOf(up)
  expect(shown.toLowerCase()).not.toContain(SECRET.slice(0, 5))
  expect(shown).toContain(`SQLSTATE ${state}`)
  expect(shown).toContain('1001_attack.up.sql, statement ')
})

test('what is there is named, with the place', async () => {
  const shown = await shownOf(`select 1;\ninsert into vault values (1, 'x')`)
  expect(shown).toContain(
    '1001_attack.up.sql, statement 2 of 2 (line 2) failed: two rows have the same key: table public.vault, constraint vault_pkey (SQLSTATE 23505).',
  )
})

test('a rollback says as little', async () => {
  folder.write('1001_attack', 'create table attack (id bigint)', raise(`'%', ${word}`))
  await client.tool('run_migrations', {})
  const error = await client.refused('rollback_migration', { target_version: 1000 })
  expect(JSON.stringify(error)).not.toContain(SECRET)
  expect(error.message).toContain('1001_attack.down.sql, statement 1 of 1 (line 1) failed')
})

test('who runs the command is told what PostgreSQL says', async () => {
  folder.write('1002_cast', 'select word::int from vault')
  const ran = await runCommand(['migrate', 'up', '--yes'], {
    ...folder.env,
    DATABASE_URL: database.url,
  })
  expect(ran.stderr).toContain('PostgreSQL says: invalid input syntax for type integer: "hunter2"')
})
