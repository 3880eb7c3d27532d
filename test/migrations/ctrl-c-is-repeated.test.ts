import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { Command } from '../support/cli.js'
import { createDatabase } from '../support/database.js'
import { FaultProxy } from '../support/fault-proxy.js'
import { waitFor } from '../support/wait-for.js'

test('Ctrl-C stops a statement although the first request to stop it was lost', async () => {
  const database = await createDatabase()
  const proxy = await FaultProxy.forThisTest(database.url)
  const folder = mkdtempSync(join(tmpdir(), 'cdb-lost-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, '1001_slow.up.sql'), '-- description: slow\nselect pg_sleep(600);\n')
  const env = { DATABASE_URL: proxy.url(database.name), CATALYST_MIGRATIONS_DIR: folder }
  const command = new Command(['migrate', 'up', '--yes'], env)
  const sleeping = () =>
    database.query(
      `select 1 from pg_stat_activity
       where datname = current_database() and query like '%pg_sleep%' and state = 'active'
         and pid <> pg_backend_pid()`,
    )
  await waitFor(async () => (await sleeping()).length > 0)
  proxy.isClosed = true
  command.kill('SIGINT')
  await waitFor(() => proxy.refused > 0)
  proxy.isClosed = false
  expect((await command.ended).code).toBe(130)
  expect(await sleeping()).toEqual([])
})
