import pg from 'pg'
import { expect, onTestFinished, test } from 'vitest'
import { startApp } from '../support/app.js'
import { createDatabase } from '../support/database.js'
import { waitFor } from '../support/wait-for.js'
import { OperatorFolder } from './operator-folder.js'

const folder = new OperatorFolder()
const { client, database } = await startApp({ env: folder.env })

test('what others change of the server while a migration runs is not asked about', async () => {
  const other = await createDatabase()
  onTestFinished(() => other.drop())
  // Waits in the middle for a lock that the test holds.
  folder.write('1000_slow', 'create table public.slow (); select pg_advisory_xact_lock(77);', '')
  const holder = new pg.Client({ connectionString: database.url })
  await holder.connect()
  onTestFinished(() => holder.end())
  await holder.query('select pg_advisory_lock(77)')
  const run = client.tool('run_migrations')
  await waitFor(
    async () =>
      (
        await database.query(
          `select from pg_locks where locktype = 'advisory' and objid = 77 and not granted`,
        )
      ).length > 0,
  )
  const role = `passer_by_${database.name}`
  await other.asSuperuser(`alter database ${other.name} set work_mem = '5MB'`)
  await other.asSuperuser(`create role ${role}`)
  await other.asSuperuser(`grant ${role} to catalyst_owner`)
  await other.asSuperuser(
    `alter role catalyst_owner in database ${other.name} set work_mem = '6MB'`,
  )
  await holder.query('select pg_advisory_unlock(77)')
  expect((await run).migrations_applied).toMatchObject([{ version: 1_000, status: 'applied' }])
  await other.asSuperuser(`drop role ${role}`)
})
