import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { waitFor } from '../support/wait-for.js'
import { createBackup, logSettings, newFolder } from './log-support.js'

test('the log leads across changes of the schema that it tells, also when backups are taken right behind them', async () => {
  const env = logSettings(newFolder(), { full_every_hours: 8_760 })
  const { client, database } = await startApp({ env })
  const latest = () => client.resource('catalyst://db/backups/latest')
  const full = await createBackup(client, 'full')
  let sealed = full
  for (let n = 0; n < 8; n++) {
    // As the product makes the partitions of the next days.
    await database.query('select catalyst.change_schema($1)', [
      `create table public.day_${n} (id int primary key)`,
    ])
    sealed = await createBackup(client, 'incremental')
    expect(sealed).toMatchObject({ type: 'incremental', reason: null })
    // The log's own marks follow.
    for (let advances = 0; advances < 2; advances++) {
      await database.query(`insert into public.day_${n} values (${advances})`)
      const before = (await latest()).covered_until
      await waitFor(async () => (await latest()).covered_until > before)
    }
    expect((await latest()).barriers).toEqual([])
  }
  expect((await latest()).latest_full.backup_id).toBe(full.backup_id)
  const verified = await client.tool('verify_backup', {
    backup_id: sealed.backup_id,
    level: 'restore',
  })
  expect(verified).toMatchObject({ valid: true, issues: [] })
})
