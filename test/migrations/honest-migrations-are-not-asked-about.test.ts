import pg from 'pg'
import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { asBootstrap } from '../support/services.js'
import { HONEST } from './attacks/honest.js'
import { Attacker, WORLD } from './attacks/world.js'
import { OperatorFolder } from './operator-folder.js'

const folder = new OperatorFolder()
const app = await startApp({ env: folder.env })

test('what only adds runs unasked', async () => {
  const superuser = new pg.Client({ connectionString: asBootstrap(app.database.url) })
  await superuser.connect()
  await superuser.query(WORLD)
  await superuser.end()
  const client = new Attacker(app.client, folder.path)
  const [server] = await app.database.query<{ version: number }>(
    `select current_setting('server_version_num')::int as version`,
  )
  const known = (text: string) => Number(server?.version) >= 180_000 || !text.endsWith(' virtual')
  for (const text of HONEST.filter(known)) {
    const outcome = await client.run(text)
    expect.soft(outcome === 'applied' ? outcome : client.said, text).toBe('applied')
  }
  expect(HONEST.length).toBeGreaterThan(60)
}, 600_000)
