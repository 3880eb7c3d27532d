import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'

const { client, database } = await startApp({ env: { CATALYST_POOL_MAX: '7' } })

test('db/performance/connections shows the pool of the server and the backends of the database', async () => {
  await database.query('select 1')
  const answer = await client.resource('db/performance/connections')
  expect(answer.pool_stats).toMatchObject({ max: 7, waiting: 0 })
  expect(answer.connection_details).toContainEqual(
    expect.objectContaining({
      pid: expect.any(Number),
      application_name: 'catalyst-db',
      connected_at: expect.stringMatching(/Z$/),
    }),
  )
})

test('db/connections is the same under its short name', async () => {
  const { connection_details } = await client.resource('db/connections?limit=1')
  expect(connection_details).toHaveLength(1)
})

test('a limit over the maximum is refused, not clipped', async () => {
  await expect(client.resource('db/connections?limit=501')).rejects.toThrow(/limit.*<=500/)
})
