import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { waitFor } from '../support/wait-for.js'
import { createBackup, logSettings, newFolder } from './log-support.js'

test('the newest backup and its verification are in the status right after their answers, and soon in that of another server', async () => {
  const env = logSettings(newFolder(), { full_every_hours: 8_760 })
  const { client, database } = await startApp({ env })
  const other = await startApp({ env, database })
  const lastOf = async (from = client) => (await from.resource('catalyst://db/status')).last_backup
  // Both have looked once, which they do again by themselves in half a minute.
  await waitFor(async () => (await lastOf(other.client)).reason === 'There is no backup yet.')
  for (const type of ['full', 'incremental', 'full']) {
    const { backup_id } = await createBackup(client, type)
    expect(await lastOf()).toMatchObject({ backup_id, reason: null })
    const { verified_at } = await client.tool('verify_backup', { backup_id })
    expect(await lastOf()).toMatchObject({ verified_at })
    const told = await waitFor(async () => {
      const last = await lastOf(other.client)
      return last.backup_id === backup_id && last.verified_at === verified_at && last
    })
    expect(told.at).toBe((await lastOf()).at)
  }
})
