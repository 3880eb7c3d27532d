import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { startApp, type TestApp, ToolError } from '../support/app.js'
import { runCommand } from '../support/cli.js'
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

/** Without those of other tests on this server. */
const databases = async () =>
  (
    await database.query<{ datname: string }>(
      `select datname from pg_database where datname !~ '^test_' or starts_with(datname, $1) order by 1`,
      [database.name],
    )
  ).map(({ datname }) => datname)

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

const manifestOf = (backupId: string) => files.key(new RegExp(`${backupId}/manifest`))
const ofFull = (pattern: RegExp, backupId = full) =>
  files.keys(pattern).filter((key) => key.includes(backupId))

/** Exchanges an object with another that is not the same; answers the key of the first. */
function swapped(keys: readonly string[]): string {
  const [one = ''] = keys
  const first = files.read(one)
  const other = keys.find((key) => !files.read(key).equals(first)) ?? ''
  const second = files.read(other)
  files.write(one, second)
  files.write(other, first)
  return one
}

/** Puts the object of an earlier backup in the place of this one's. */
function replaced(pattern: RegExp): string {
  const [key = '', earlier = ''] = [ofFull(pattern)[0], ofFull(pattern, older)[0]]
  files.write(key, files.read(earlier))
  return key
}

/** Changes a document as somebody who sums it up anew. */
function edited(key: string, change: (fields: Record<string, never>) => void): string {
  files.edit(key, change as (fields: Record<string, unknown>) => void)
  return key
}

const FOREIGN = '00000000-0000-4000-8000-000000000000'
const segments = () => {
  const { log } = JSON.parse(files.read(manifestOf(incremental)).toString())
  return log.segments as string[]
}
const sidecars = () => segments().map((key) => key.replace(/-[0-9a-f]{6}\.pgo.*/, '.json'))

test.each<[string, 'full' | 'incremental', () => string]>([
  ['rows of two tables exchanged', 'full', () => swapped(ofFull(/\.copy/))],
  ['both schemas exchanged', 'full', () => swapped(ofFull(/schema-/))],
  ['the catalog of an earlier backup', 'full', () => replaced(/catalog/)],
  ['the manifest of an earlier backup', 'full', () => replaced(/manifest/)],
  [
    'two segments exchanged',
    'incremental',
    () => swapped([...segments(), ...files.keys(/log\/.*\.pgo/)]),
  ],
  [
    'the sidecar of another segment',
    'incremental',
    () => {
      const [key = ''] = sidecars()
      files.write(
        key,
        files.read(files.keys(/log\/[^-]*-[^-]*\.json$/).find((one) => one !== key) ?? ''),
      )
      return key
    },
  ],
  [
    'a manifest of another archive',
    'full',
    () => edited(manifestOf(full), (it) => Object.assign(it, { archive_id: FOREIGN })),
  ],
  [
    'a sidecar of another archive',
    'incremental',
    () => edited(sidecars()[0] ?? '', (it) => Object.assign(it, { archive_id: FOREIGN })),
  ],
  [
    'another archive in its place',
    'full',
    () => edited(files.key(/archive\.json/), (it) => Object.assign(it, { archive_id: FOREIGN })),
  ],
  [
    'a sidecar of another server',
    'incremental',
    () => {
      edited(sidecars()[0] ?? '', (it) => Object.assign(it, { system_identifier: '1' }))
      return segments()[0] ?? ''
    },
  ],
  [
    'a table left out of its manifest',
    'full',
    () =>
      edited(manifestOf(full), (it: { objects?: unknown[] }) => {
        it.objects?.pop()
      }),
  ],
  [
    'a table in its manifest twice',
    'full',
    () =>
      edited(manifestOf(full), (it: { objects?: unknown[] }) => {
        it.objects?.push(it.objects[0])
      }),
  ],
  [
    'another number of rows',
    'full',
    () =>
      edited(manifestOf(full), (it: { objects?: { rows?: number }[] }) => {
        for (const object of it.objects ?? []) if (object.rows !== undefined) object.rows += 1
      }),
  ],
  [
    'a manifest of a later format',
    'full',
    () => edited(manifestOf(full), (it) => Object.assign(it, { format: 'cdb-backup/9' })),
  ],
  [
    'a manifest that says it is incremental',
    'full',
    () => edited(manifestOf(full), (it) => Object.assign(it, { type: 'incremental' })),
  ],
])('%s is found', async (_, of, damage) => {
  const key = damage()
  await expectDamage(of === 'full' ? full : incremental, naming(key))
})

test.each(Object.entries(TO_ANY))('an encrypted object has %s', async (_, change) => {
  const [key = ''] = ofFull(/\.copy/, encrypted)
  const changed = change(files.read(key))
  if (changed) files.write(key, changed)
  else files.remove(key)
  await expectDamage(encrypted, naming(key))
})

test('with no key and with another one a restore is refused before it has made anything', async () => {
  const other = join(folder, 'other')
  writeFileSync(other, `${await generateX25519Identity()}\n`)
  const { CATALYST_OBJECT_STORE } = logSettings(folder, { enabled: false })
  const before = await databases()
  for (const given of [{}, { CATALYST_BACKUP_IDENTITY_FILE: other }]) {
    const env = { CATALYST_OBJECT_STORE, DATABASE_URL: database.url, ...given }
    const refused = await runCommand(['backup', 'restore', encrypted], env)
    expect(refused.code).not.toBe(0)
    expect(refused.stderr).toContain('CATALYST_BACKUP_IDENTITY_FILE')
  }
  expect(await databases()).toEqual(before)
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
