import { join } from 'node:path'
import pg from 'pg'
import { expect, onTestFinished, test } from 'vitest'
import { TestClient } from '../support/app.js'
import { newDataDir } from '../support/embedded.js'
import { ServedProcess } from '../support/served.js'
import { waitFor } from '../support/wait-for.js'
import { createBackup } from './log-support.js'

test('while others use every replication slot a full backup is refused with what to do, and taken when one is free', async () => {
  const folder = newDataDir()
  const served = await ServedProcess.start({ CATALYST_DATA_DIR: folder })
  const client = await TestClient.connect(served.url, 'modern')
  const host = join(folder, 'embedded', 'run')
  const other = new pg.Client({ host, user: 'catalyst_owner', database: 'catalyst' })
  await other.connect()
  onTestFinished(async () => {
    await other.end()
    await client.close()
    await served.kill()
  })
  await createBackup(client, 'full')
  const made: string[] = []
  const isFull = await waitFor(async () => {
    const name = `theirs_${made.length}`
    try {
      await other.query(`select pg_create_logical_replication_slot('${name}', 'pgoutput')`)
      made.push(name)
      return null
    } catch (error) {
      return error instanceof pg.DatabaseError && error.code === '53400'
    }
  })
  expect(isFull).toBe(true)
  expect(await client.refused('create_backup', { type: 'full' })).toMatchObject({
    code: 'conflict',
    message: expect.stringContaining('Every replication slot of the server is in use'),
    hint: expect.stringContaining('max_replication_slots'),
  })
  // The log has its own, and goes on.
  expect(await createBackup(client, 'incremental')).toMatchObject({ type: 'incremental' })
  await other.query(`select pg_drop_replication_slot('${made[0]}')`)
  expect(await createBackup(client, 'full')).toMatchObject({ type: 'full', reason: null })
})
