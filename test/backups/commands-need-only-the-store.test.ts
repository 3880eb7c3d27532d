import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { runCommand } from '../support/cli.js'
import { createDatabase } from '../support/database.js'
import { StoreFiles } from './damage.js'
import { logSettings, newFolder } from './log-support.js'

test('with server and database gone, a backup is listed, verified and restored into an empty database', async () => {
  const folder = newFolder()
  const settings = logSettings(folder, { full_every_hours: 8_760 })
  const identity = await generateX25519Identity()
  const identityFile = join(folder, 'identity')
  writeFileSync(identityFile, `${identity}\n`)
  const app = await startApp({
    env: { ...settings, CATALYST_BACKUP_RECIPIENTS: await identityToRecipient(identity) },
  })
  const { backup_id: full } = await app.client.tool('create_backup', {
    type: 'full',
    encrypt: true,
  })
  await app.database.query(`insert into catalyst.conditions (condition) values ('kept')`)
  const { backup_id } = await app.client.tool('create_backup', { type: 'incremental' })
  await app.close()

  const { CATALYST_OBJECT_STORE } = settings
  const run = (args: string[], more: Record<string, string> = {}) =>
    runCommand(['backup', ...args], { CATALYST_OBJECT_STORE, ...more })
  const given = { CATALYST_BACKUP_IDENTITY_FILE: identityFile }

  const listed = await run(['list', '--json'])
  expect(listed.code).toBe(0)
  expect(JSON.parse(listed.stdout).backups).toMatchObject([
    { backup_id, type: 'incremental', base_backup: full, encrypted: true, status: 'completed' },
    { backup_id: full, type: 'full', encrypted: true, status: 'completed' },
  ])

  const unopened = JSON.parse((await run(['verify', backup_id, '--json'])).stdout)
  expect(unopened).toMatchObject({ valid: true, issues: [] })
  expect(unopened.not_checked).toEqual([expect.stringMatching(/no identity/)])
  const opened = await run(['verify', backup_id, '--json'], given)
  expect(opened.code).toBe(0)
  expect(JSON.parse(opened.stdout)).toMatchObject({ valid: true, issues: [], not_checked: [] })

  const other = join(folder, 'other identity')
  writeFileSync(other, `${await generateX25519Identity()}\n`)
  const wrong = await run(['verify', backup_id], { CATALYST_BACKUP_IDENTITY_FILE: other })
  expect(wrong).toMatchObject({ code: 7, stdout: expect.stringMatching(/none of the identities/) })

  const empty = await createDatabase()
  const target = { ...given, DATABASE_URL: empty.url }
  const planned = await run(['restore', backup_id, '--dry-run', '--json'], target)
  expect(planned.code).toBe(0)
  expect(JSON.parse(planned.stdout)).toMatchObject({ database: null, plan: { full } })
  const refused = await run(['restore', backup_id, '--json'], { DATABASE_URL: empty.url })
  expect(refused.code).not.toBe(0)
  expect(refused.stderr).toMatch(/identit/)
  const restored = await run(['restore', backup_id, '--json'], target)
  expect(restored).toMatchObject({ code: 0 })
  const { restore_id, database } = JSON.parse(restored.stdout)
  const there = await empty.query<{ datname: string }>(
    `select datname from pg_database where datname = '${database}'`,
  )
  expect(there).toHaveLength(1)
  const discarded = await run(['discard', restore_id, '--yes', '--json'], target)
  expect(JSON.parse(discarded.stdout)).toEqual({ discarded: true, database })

  const pruned = await run(['prune', '--dry-run', '--json'])
  expect(JSON.parse(pruned.stdout).archives).toMatchObject([
    { expired: [], kept: [backup_id, full] },
  ])

  const files = new StoreFiles(join(folder, 'store'))
  const key = files.key(/schema-pre/)
  files.remove(key)
  const damaged = await run(['verify', full, '--level', 'quick'])
  expect(damaged).toMatchObject({ code: 7, stdout: expect.stringContaining(key) })
})

test.each([
  ['../../etc', 2],
  ['20261122T074942Z-F-7f3a9', 2],
  ['20261122T074942Z-X-7f3a91', 2],
  ['20261122T074942Z-F-7f3a91', 1],
])('%s is no backup, and nothing is asked of it', async (backupId, code) => {
  const folder = newFolder()
  const { CATALYST_OBJECT_STORE } = logSettings(folder)
  const verified = await runCommand(['backup', 'verify', backupId], { CATALYST_OBJECT_STORE })
  expect(verified.code).toBe(code)
})
