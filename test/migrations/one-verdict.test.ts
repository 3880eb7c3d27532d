import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { runCommand } from '../support/cli.js'
import { OperatorFolder } from './operator-folder.js'

const folder = new OperatorFolder()
const { client, database } = await startApp({ env: folder.env })
await database.asSuperuser(`
  -- Its size is to stay what it is.
  create table big with (autovacuum_enabled = off) as select n as id, n as other from generate_series(1, 20000) as n;
  alter table big add constraint other_is_there check (other is not null);
  alter table big owner to catalyst_migrator;
  analyze big`)

/** What create, lint and a dry run say of a text, as rule and severity. */
async function verdicts(name: string, up_sql: string) {
  const created = await client.tool('create_migration', { name, up_sql, down_sql: 'select 1' })
  const env = { ...folder.env, DATABASE_URL: database.url }
  const linted = await runCommand(['migrate', 'lint', '--json'], env)
  const dryRun = await client.tool('run_migrations', { dry_run: true })
  return [
    created.lint,
    JSON.parse(linted.stdout).files.at(-1).lint,
    dryRun.migrations_applied.at(-1).lint,
  ].map((lint: { rule: string; severity: string; message: string; lock: string }[]) =>
    lint.map(({ rule, severity, message, lock }) => ({ rule, severity, message, lock })),
  )
}

test('a big table is one everywhere, with its size and the lock', async () => {
  const [created, linted, ran] = await verdicts('index', 'create index i on public.big (id)')
  expect(created).toEqual([
    {
      rule: 'require-concurrent-index-creation',
      severity: 'block',
      message: expect.stringMatching(
        /^public\.big \(about 20000 rows, [\d.]+ [kM]B\): writes wait/,
      ),
      lock: 'SHARE on public.big',
    },
  ])
  expect(linted).toEqual(created)
  expect(ran).toEqual(created)
})

test('NOT NULL is cheap where a validated check says so of that column, and only there', async () => {
  const [created, ...others] = await verdicts(
    'not_null',
    'alter table public.big alter other set not null;\nalter table public.big alter id set not null',
  )
  expect(created).toMatchObject([{ rule: 'adding-not-nullable-field', severity: 'block' }])
  expect(created?.[0]?.message).toMatch(/^public\.big\.id /)
  for (const other of others) expect(other).toEqual(created)
})
