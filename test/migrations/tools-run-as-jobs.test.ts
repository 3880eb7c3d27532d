import pg from 'pg'
import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { waitFor } from '../support/wait-for.js'
import { isThere, OperatorFolder } from './operator-folder.js'

const folder = new OperatorFolder()
const { client, database } = await startApp({ env: folder.env })
/** It waits for no job. */
const impatient = await startApp({
  env: { ...folder.env, CATALYST_JOB_WAIT_SECONDS: '0' },
  database,
})
const exists = (relation: string) => isThere(database, relation)

test('cancel_job stops the statement; what is done is told, and the next run goes on', async () => {
  folder.write('1002_d', 'create table public.d (a int, b int);')
  await client.tool('run_migrations')
  const index = (column: string) => `create index concurrently d_${column} on public.d (${column});`
  folder.write('1003_slow', `-- transaction: none\n${index('a')}\n${index('b')}`)
  // An index is built once every transaction has ended that could still read without it.
  const old = new pg.Client({ connectionString: database.url })
  await old.connect()
  await old.query('begin isolation level repeatable read; select 1')
  const { job_id, status } = await impatient.client.tool('run_migrations')
  expect(status).toBe('running')
  await waitFor(() => exists('public.d_a'))
  const ended = await client.tool('cancel_job', { job_id })
  expect(ended).toMatchObject({ tool: 'run_migrations', state: 'cancelled' })
  await old.end()
  const { problems, pending_migrations } = await client.resource('db/migrations/status')
  expect(pending_migrations).toMatchObject([{ version: 1_003 }])
  expect(problems).toMatchObject([
    {
      version: 1_003,
      problem: 'failed',
      message: expect.stringContaining('failed 0/2'),
      next_step: expect.stringContaining('it goes on with statement 1'),
    },
  ])
  const { migrations_applied } = await client.tool('run_migrations')
  expect(migrations_applied).toMatchObject([{ version: 1_003, status: 'applied' }])
  expect(await exists('public.d_b')).toBe(true)
})

test('the same key is the same run, though the first answer was lost', async () => {
  folder.write('1004_once', 'create table public.once ();', 'drop table public.once;')
  const first = await client.tool('run_migrations', { idempotency_key: 'deploy-17' })
  const second = await client.tool('run_migrations', { idempotency_key: 'deploy-17' })
  expect(second).toEqual({ ...first, replayed: true })
  expect(first.migrations_applied).toMatchObject([{ version: 1_004 }])
})

test('a failing migration is told to the client with file, line and next step', async () => {
  folder.write('1005_fails', 'create table public.half ();\n\nselect 1 / 0;')
  const error = await client.refused('run_migrations')
  expect(error).toMatchObject({
    code: 'precondition_failed',
    hint: expect.stringContaining('1005_fails.up.sql'),
  })
  expect(error.message).toMatch(
    /1005_fails\.up\.sql, statement 2 of 2 \(line 3\) failed: a number is divided by zero/,
  )
  expect(await exists('public.half')).toBe(false)
  expect(await client.refused('run_migrations', { dry_run: true })).toMatchObject({
    code: 'precondition_failed',
    message: expect.stringContaining('divided by zero'),
  })
})
