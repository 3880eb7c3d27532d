import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { waitFor } from '../support/wait-for.js'
import { archiveIn, createBackup, logSettings, newFolder } from './log-support.js'

test('an incremental backup seals the log up to now; without a full one, or across a barrier, a full one comes first', async () => {
  const folder = newFolder()
  // No schedule of its own takes one between.
  const app = await startApp({ env: logSettings(folder, { full_every_hours: 8_760 }) })
  const { client, database } = app
  const create = (type: string) => createBackup(client, type)
  const archive = await archiveIn(folder)
  const first = await create('full')
  const before = await create('incremental')
  expect(before).toMatchObject({ type: 'incremental', reason: null })
  await database.query(`insert into catalyst.conditions (condition) values ('one more')`)
  const after = await create('incremental')
  expect(after.type).toBe('incremental')
  const [{ now } = { now: '' }] = await database.query<{ now: string }>('select now()')
  expect(after.covered_until > before.covered_until).toBe(true)
  expect(after.covered_until < now).toBe(true)
  const manifest = await archive.manifest(after.backup_id)
  expect(manifest).toMatchObject({ type: 'incremental', base_backup: first.backup_id })
  const latest = await client.resource('catalyst://db/backups/latest')
  expect(latest).toMatchObject({
    latest_full: { backup_id: first.backup_id },
    latest_incremental: { backup_id: after.backup_id, base_backup: first.backup_id },
    log: { state: 'archiving' },
    store: { status: 'ok' },
    barriers: [],
  })
  expect((await client.resource('catalyst://db/backups/history')).backups).toMatchObject(
    [after, before, first].map(({ backup_id }) => ({ backup_id, status: 'completed' })),
  )
  await database.query('create table unforeseen (id int primary key)')
  await database.query('insert into unforeseen values (1)')
  // The schedule takes a full one at once, from which the log leads on.
  await waitFor(async () => {
    const { latest_full, barriers } = await client.resource('catalyst://db/backups/latest')
    const kinds = barriers.map(({ kind }: { kind: string }) => kind)
    return kinds.includes('out_of_band_ddl') && latest_full.backup_id !== first.backup_id
  })
  expect(await create('incremental')).toMatchObject({ type: 'incremental', reason: null })
})
