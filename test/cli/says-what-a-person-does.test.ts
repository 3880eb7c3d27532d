import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { Command, runCommand } from '../support/cli.js'
import { createDatabase } from '../support/database.js'
import { waitFor } from '../support/wait-for.js'

vi.setConfig({ testTimeout: 180_000 })

/** What only a client of MCP can do. */
const FOR_CLIENTS = /same call|idempotency.key|catalyst:\/\/|end_db_session/

test('a database that is away: what mends it, and the command to run again', async () => {
  const nowhere = { DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/none' }
  for (const command of ['migrate status', 'migrate up --yes', 'migrate history', 'audit verify']) {
    const { code, stderr } = await runCommand(command.split(' '), nowhere)
    expect([command, code]).toEqual([command, 4])
    expect(stderr).toContain('Nothing listens at the address of PostgreSQL.')
    expect(stderr).toContain('Start PostgreSQL, or correct host and port in DATABASE_URL.')
    expect(stderr).not.toMatch(FOR_CLIENTS)
    if (command.startsWith('migrate')) expect(stderr).toContain('Then run the same command again.')
  }
})

test('a connection that is lost in the middle of a migration: the same', async () => {
  const database = await createDatabase()
  const folder = mkdtempSync(join(tmpdir(), 'cdb-person-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, '1001_slow.up.sql'), '-- description: slow\nselect pg_sleep(600);\n')
  const env = { DATABASE_URL: database.url, CATALYST_MIGRATIONS_DIR: folder }
  const command = new Command(['migrate', 'up', '--yes'], env)
  const sleeping = () =>
    database.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and query like '%pg_sleep%' and state = 'active'
         and pid <> pg_backend_pid()`,
    )
  await waitFor(async () => (await sleeping()).length > 0, { timeoutMs: 120_000 })
  const { code, stderr } = await command.ended
  expect(code).not.toBe(0)
  expect(stderr).toMatch(/run the same command again|migrate up|run it again/i)
  expect(stderr).not.toMatch(FOR_CLIENTS)
})
