import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { waitFor } from '../support/wait-for.js'
import {
  archiveIn,
  createBackup,
  logSettings,
  newFolder,
  sidecarsOf,
  tablesIn,
} from './log-support.js'

const OF_ITSELF = /^catalyst\.(metrics_\w+|leases|schema_changes|findings|events_\w+|event_outbox)$/

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
  // What the server notes of itself each minute is told, and the schema again once it has changed that; nothing else.
  let hasChanged = false
  for (const segment of (await sidecarsOf(archive)).slice(before.length)) {
    const tables = await tablesIn(archive, segment)
    if (tables.length === 0) expect(hasChanged).toBe(true)
    for (const table of tables) expect(table).toMatch(OF_ITSELF)
    hasChanged = segment.has_ddl
  }
  const idle = await sidecarsOf(archive)
  const [{ at } = { at: '' }] = await database.query<{ at: string }>(
    `insert into catalyst.conditions (condition) values ('it happens') returning clock_timestamp() as at`,
  )
  const after = await waitFor(async () => {
    const found = await latest()
    return found.covered_until > at && found
  })
  const told = await Promise.all(
    (await sidecarsOf(archive)).slice(idle.length).map((segment) => tablesIn(archive, segment)),
  )
  expect(told.flat()).toContain('catalyst.conditions')
  // What it would cost to lose the database is the time since then by the server's clock, and grows.
  const measured = after.rpo_seconds
  expect(measured).toBeGreaterThanOrEqual(0)
})
