import { expect, onTestFinished, test } from 'vitest'
import { parseDatabaseUrl } from '../../src/platform/postgres/connection.js'
import { Database } from '../../src/platform/postgres/database.js'
import { createDatabase } from '../support/database.js'

test('once a newer history is known, nothing is committed on the older one, by whichever way it is reached', async () => {
  const database = await createDatabase()
  const [pooled, direct] = [parseDatabaseUrl(database.url), parseDatabaseUrl(database.url)]
  pooled.servers.shareHistory(direct.servers)
  const pool = new Database({ endpoint: pooled, poolMax: 2 })
  onTestFinished(async () => {
    await pool.close()
    await database.drop()
  })
  const emit = () =>
    pool.transaction(async (tx) => {
      await tx.emit('db.transaction', { tools: [], session_id: null })
      return true
    })
  const written = async () =>
    (await database.query(`select 1 from catalyst.event_outbox where type = 'db.transaction'`))
      .length
  expect(await emit()).toBe(true)
  const open = pool.transaction(async (tx) => {
    await tx.emit('db.transaction', { tools: [], session_id: null })
    direct.servers.observe(99)
  })
  await expect(open).rejects.toMatchObject({ code: 'unavailable', retryable: true })
  await expect(emit()).rejects.toMatchObject({ message: expect.stringContaining('left behind') })
  expect(await written()).toBe(1)
})
