import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { open } from '../failures/serving.js'
import { ExternalServer } from '../support/external-server.js'

const page = readFileSync(new URL('../../docs/operating.md', import.meta.url), 'utf8')
const server = await ExternalServer.start()

test('what a superuser has made is handed to a role of its own as the page says, and the server goes on', async () => {
  await server.query('create database market')
  await (await open(server.url('market'))).close()
  const [, block = ''] = /```sql\n(create role catalyst_owner [\s\S]*?)```/.exec(page) ?? []
  await server.query(block, 'market')
  const served = await open(server.url('market', 'catalyst_owner'))
  const client = await served.connect()
  const left = await server.query(
    `select relname from pg_class where relnamespace = 'catalyst'::regnamespace
       and relowner <> 'catalyst_owner'::regrole`,
    'market',
  )
  expect(left).toEqual([])
  expect((await client.resource('db/status')).status).not.toBe('unhealthy')
  expect((await client.tool('run_migrations')).migrations_applied).toEqual([])
  await served.close()
})
