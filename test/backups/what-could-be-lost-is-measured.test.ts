import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { waitFor } from '../support/wait-for.js'
import { archiveIn, createBackup, logSettings, newFolder, sidecarsOf } from './log-support.js'

test('while nothing happens the log stays as it is and covers every moment; a commit is covered soon', async () => {
  const folder = newFolder()
  const app = await startApp({ env: logSettings(folder, { full_every_hours: 8_760 }) })
  const { client, database } = app
  const archive = await archiveIn(folder)
  await createBackup(client, 'full')
  const latest = () => client.resource('catalyst://db/backups/latest')
  // The catalog's own figures are told a moment after what was done to it.
  const settled = async () => {
    const before = await sidecarsOf(archive)
    const covered = (await latest()).covered_until
    await waitFor(async () => (await latest()).covered_until > covered)
    await waitFor(async () => (await latest()).covered_until > covered)
    return (await sidecarsOf(archive)).length === before.length && before
  }
  const before = await waitFor(settled)
  const first = (await latest()).covered_until
  let covered = first
  for (let advances = 0; advances < 3; advances++) {
    covered = await waitFor(async () => {
      const { covered_until } = await latest()
      return covered_until > covered && covered_until
    })
  }
  expect((await sidecarsOf(archive)).length).toBe(before.length)
  const [{ at } = { at: '' }] = await database.query<{ at: string }>(
    `insert into catalyst.conditions (condition) values ('it happens') returning clock_timestamp() as at`,
  )
  const after = await waitFor(async () => {
    const found = await latest()
    return found.covered_until > at && found
  })
  expect((await sidecarsOf(archive)).length).toBeGreaterThan(before.length)
  // What it would cost to lose the database is the time since then by the server's clock, and grows.
  const measured = after.rpo_seconds
  expect(measured).toBeGreaterThanOrEqual(0)
})
