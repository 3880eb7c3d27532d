import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { startApp, type TestApp, ToolError } from '../support/app.js'
import { createDatabase, type TestDatabase } from '../support/database.js'
import { StoreFiles, TO_ANY } from './damage.js'
import { logSettings } from './log-support.js'

/** What is damaged: each kind of object, and the backup that needs it. */
const OBJECTS = {
  'archive.json': { pattern: /archive\.json$/, of: 'full' },
  'the manifest of the full backup': { pattern: /full\/.*manifest\.json$/, of: 'full' },
  'the schema before the rows': { pattern: /schema-pre\.sql/, of: 'full' },
  'the schema behind the rows': { pattern: /schema-post\.sql/, of: 'full' },
  'the catalog': { pattern: /catalog\.json/, of: 'full' },
  'the rows of a table': { pattern: /\.copy/, of: 'full' },
  'the manifest of the incremental backup': {
    pattern: /incr\/.*manifest\.json$/,
    of: 'incremental',
  },
  'a segment of the log': { pattern: /log\/.*\.pgo/, of: 'incremental' },
  'what says of a segment': { pattern: /log\/[^-]*-[^-]*\.json$/, of: 'incremental' },
} as const

let folder = ''
let app: TestApp
let files: StoreFiles
let database: TestDatabase
let full = ''
let older = ''
let incremental = ''
let encrypted = ''
let identityFile = ''

/** A store of two full backups, an encrypted one, and a log with segments of either; whoever made it is gone. */
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'backups-'))
  identityFile = join(folder, 'identity')
  const identity = await generateX25519Identity()
  writeFileSync(identityFile, `# a comment\n${identity}\n`)
  const settings = logSettings(folder, { full_every_hours: 8_760 })
  database = await createDatabase()
  const maker = await startApp({
    database,
    env: { ...settings, CATALYST_BACKUP_RECIPIENTS: await identityToRecipient(identity) },
  })
  const create = async (type: string, encrypt = false): Promise<string> =>
    (await maker.client.tool('create_backup', { type, encrypt })).backup_id
  older = await create('full')
  encrypted = await create('full', true)
  full = await create('full')
  for (const condition of ['first', 'second', 'third']) {
    await database.query(`insert into catalyst.conditions (condition) values ('${condition}')`)
    incremental = await create('incremental')
  }
  await maker.close()
  files = new StoreFiles(join(folder, 'store'))
  app = await startApp({
    database,
    env: {
      ...logSettings(folder, { enabled: false }),
      CATALYST_BACKUP_IDENTITY_FILE: identityFile,
    },
  })
}, 600_000)
afterAll(async () => {
  await app.close()
  await database.drop()
  rmSync(folder, { recursive: true, force: true })
})

afterEach(() => files.mend())

const verify = (backup_id: string, level = 'content') =>
  app.client.tool('verify_backup', { backup_id, level })

const databases = async () =>
  (await database.query<{ datname: string }>('select datname from pg_database')).map(
    ({ datname }) => datname,
  )

/** Every issue names what it is about; a restore is refused before it has made anything. */
async function expectDamage(backupId: string, issue: RegExp): Promise<void> {
  const verdict = await verify(backupId)
  expect(verdict.issues.join('\n')).toMatch(issue)
  expect(verdict.valid).toBe(false)
  const before = await databases()
  const refusal = await app.client.tool('restore_backup', { backup_id: backupId }).then(
    () => null,
    (error: unknown) => error,
  )
  expect(refusal).toBeInstanceOf(ToolError)
  expect((refusal as ToolError).body.code).not.toBe('internal_error')
  expect(await databases()).toEqual(before)
}

/** The last object of a kind that a backup cannot do without. */
function neededBy(backupId: string, pattern: RegExp): string {
  const manifest = JSON.parse(files.read(files.key(new RegExp(`${backupId}/manifest`))).toString())
  const segment: string = manifest.log?.segments.at(-1) ?? ''
  const own = [segment, segment.replace(/-[0-9a-f]{6}\.pgo.*/, '.json'), ...files.keys(pattern)]
  const isOwn = (key: string) =>
    pattern.test(key) && (!/(full|incr)\//.test(key) || key.includes(backupId))
  return own.find(isOwn) ?? ''
}

/** What names a key names its object. */
const naming = (key: string): RegExp => new RegExp(key.replaceAll('.', '\\.'))

describe.each(Object.entries(OBJECTS))('%s', (_, { pattern, of }) => {
  test.each(Object.entries(TO_ANY))('has %s', async (_name, change) => {
    const backupId = of === 'full' ? full : incremental
    const key = neededBy(backupId, pattern)
    const changed = change(files.read(key))
    if (changed) files.write(key, changed)
    else files.remove(key)
    const name = /log\/.*\.json$/.test(key) && !changed ? /gap|missing/ : naming(key)
    await expectDamage(backupId, name)
  })
})

test('fifty looks at whole backups find nothing', async () => {
  for (const backupId of [full, older, encrypted, incremental]) {
    for (let look = 0; look < 5; look += 1) {
      expect(await verify(backupId)).toMatchObject({ valid: true, issues: [], not_checked: [] })
    }
    for (let look = 0; look < 8; look += 1) {
      expect(await verify(backupId, 'quick')).toMatchObject({ valid: true, issues: [] })
    }
  }
})
