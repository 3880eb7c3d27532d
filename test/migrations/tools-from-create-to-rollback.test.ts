import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { waitFor } from '../support/wait-for.js'
import { isThere, OperatorFolder } from './operator-folder.js'

const folder = new OperatorFolder()
const app = await startApp({ env: folder.env })
const { client, database } = app
const status = () => client.resource('db/migrations/status')
const { current_version: builtIn } = await status()
const NUMBER = expect.any(Number)

const exists = (relation: string) => isThere(database, relation)

test('a migration is written, looked at, tried, applied, found in the history, and undone', async () => {
  expect(await status()).toEqual({ current_version: builtIn, pending_migrations: [], problems: [] })
  const created = await client.tool('create_migration', {
    name: 'add_tags',
    description: 'Tags of trades',
    up_sql:
      'create table public.tags (id bigint primary key, tag text not null);\ninsert into public.tags values (1, $$a;b$$);',
    down_sql: 'drop table public.tags;',
  })
  expect(created).toMatchObject({ version: 1_000 })
  expect(await status()).toEqual({
    current_version: builtIn,
    pending_migrations: [{ version: 1_000, name: 'add_tags', description: 'Tags of trades' }],
    problems: [],
  })

  const tried = await client.tool('run_migrations', { dry_run: true })
  expect(tried).toEqual({
    migrations_applied: [
      {
        version: 1_000,
        name: 'add_tags',
        status: 'dry_run',
        reason: null,
        duration_ms: NUMBER,
        statements: 2,
        statement_ms: [NUMBER, NUMBER],
        locks: [],
        rewrites: [],
        losses: [],
        lint: created.lint,
      },
    ],
    new_version: 1_000,
    note: expect.stringContaining('rolled back'),
  })
  expect(await exists('public.tags')).toBe(false)

  const ran = await client.tool('run_migrations')
  expect(ran).toEqual({
    migrations_applied: [
      expect.objectContaining({ version: 1_000, status: 'applied', statements: 2 }),
    ],
    new_version: 1_000,
    note: null,
  })
  expect(await database.query('select tag from public.tags')).toEqual([{ tag: 'a;b' }])
  expect(await client.tool('run_migrations')).toEqual({
    migrations_applied: [],
    new_version: 1_000,
    note: null,
  })
  const { migrations } = await client.resource('db/migrations/history?limit=1')
  expect(migrations).toEqual([
    {
      version: 1_000,
      name: 'add_tags',
      applied_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      duration_ms: NUMBER,
      direction: 'up',
      applied_by: 'local',
      checksum: expect.stringMatching(/^[0-9a-f]{64}$/),
    },
  ])

  const asked = await client.refused('rollback_migration', { target_version: builtIn })
  expect(asked).toMatchObject({
    code: 'confirmation_required',
    plan: {
      current_version: builtIn,
      rollbacks: [{ version: 1_000, name: 'add_tags', statements: 1 }],
      losses: [{ version: 1_000, message: 'table public.tags is dropped, with 1 row.' }],
      digest: expect.any(String),
    },
  })
  expect(asked.message).toMatch(/^Undo 1 migration \(1000_add_tags\) back to version \d+\?/)
  expect(asked.message).toMatch(/The market is (open until|closed and opens at) 20\d\d-\S+Z\.$/)
  // What only asked is entered a moment later.
  await waitFor(async () => {
    const text = `select from catalyst.audit_log where outcome = 'confirmation_required'`
    return (await database.query(text)).length > 0
  })
  const undone = await client.tool('rollback_migration', {
    target_version: builtIn,
    confirm_token: asked.confirm_token,
  })
  expect(undone).toEqual({ rolled_back: [1_000], current_version: builtIn })
  expect(await exists('public.tags')).toBe(false)
  expect((await status()).pending_migrations).toHaveLength(1)
  const after = await client.resource('db/migrations/history?limit=2')
  expect(after.migrations.map(({ direction }: { direction: string }) => direction)).toEqual([
    'down',
    'up',
  ])
})

test('the audit has every step, and says which was confirmed', async () => {
  const entries = await waitFor(async () => {
    const rows = await database.query<{ tool: string; outcome: string; confirmed_by: string }>(
      `select tool, outcome, confirmed_by from catalyst.audit_log
       where tool like '%migration%' order by audit_id`,
    )
    return rows.length >= 8 && rows
  })
  expect(
    entries.map(({ tool, outcome, confirmed_by }) =>
      `${tool} ${outcome} ${confirmed_by ?? ''}`.trim(),
    ),
  ).toEqual([
    'create_migration ok',
    'run_migrations ok',
    'run_migrations ok',
    'run_migrations ok',
    'rollback_migration confirmation_required',
    'rollback_migration intended token',
    'rollback_migration job succeeded',
    'rollback_migration ok token',
  ])
})

test('who subscribed is told that the schema is another one', async () => {
  const { events } = await client.tool('list_events', { types: ['migration.applied'] })
  const ours = events.filter(({ data }: { data: { version: number } }) => data.version > builtIn)
  expect(ours.map(({ data }: { data: object }) => data)).toMatchObject([
    { version: 1_000, name: 'add_tags', direction: 'up', by: 'local' },
    { version: 1_000, name: 'add_tags', direction: 'down', by: 'local' },
  ])
})

test('target_version stops the run there, and is refused where it cannot be', async () => {
  folder.write('1001_first', 'create table public.first ();', 'drop table public.first;')
  folder.write('1002_second', 'create table public.second ();', 'drop table public.second;')
  const ran = await client.tool('run_migrations', { target_version: 1_001 })
  expect(ran.new_version).toBe(1_001)
  expect(await exists('public.second')).toBe(false)
  for (const target_version of [-1, 1.5, 2 ** 31, '1001']) {
    expect(await client.refused('run_migrations', { target_version })).toMatchObject({
      code: 'invalid_input',
      message: expect.stringContaining('target_version'),
    })
  }
  expect(await client.refused('run_migrations', { target_version: 4_711 })).toMatchObject({
    code: 'invalid_input',
    hint: expect.stringContaining('db/migrations/status'),
  })
})

test('the migrations of the product itself cannot be undone over MCP', async () => {
  expect(await client.refused('rollback_migration', { target_version: 0 })).toMatchObject({
    code: 'precondition_failed',
    hint: expect.any(String),
  })
})
