import { expect, onTestFinished, test } from 'vitest'
import { open } from '../failures/serving.js'
import { createDatabase } from '../support/database.js'
import { waitFor } from '../support/wait-for.js'

test('a server that has closed leaves no connection to PostgreSQL', async () => {
  const database = await createDatabase()
  onTestFinished(() => database.drop())
  const served = await open(database.url)
  const client = await served.connect()
  await client.tool('start_db_session')
  await client.resource('db/status')
  const left = () =>
    database.query<{ application_name: string }>(
      `select application_name from pg_stat_activity
       where datname = current_database() and application_name like 'catalyst-db%'`,
    )
  // Everything that connects when it is first needed has done so.
  await waitFor(async () =>
    (await left()).some(({ application_name }) => application_name === 'catalyst-db events'),
  )
  await served.close()
  // PostgreSQL notices a moment after the client has gone.
  await waitFor(async () => (await left()).length === 0, { what: 'no connection' })
  expect(await left()).toEqual([])
})
