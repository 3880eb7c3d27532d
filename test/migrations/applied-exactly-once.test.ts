import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { MigrationService } from '../../src/domains/migrations/service.js'
import { parseDatabaseUrl } from '../../src/platform/postgres/connection.js'
import { createDatabase, type TestDatabase } from '../support/database.js'

const BUILT_IN = fileURLToPath(new URL('../../migrations', import.meta.url))

const folders: string[] = []
afterAll(() => Promise.all(folders.map((path) => rm(path, { recursive: true }))))

async function copyOfMigrations(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'catalyst-migrations-'))
  folders.push(directory)
  await cp(BUILT_IN, directory, { recursive: true })
  return directory
}

const runner = (database: TestDatabase, directory = BUILT_IN) =>
  new MigrationService({
    endpoint: parseDatabaseUrl(database.url),
    builtInDir: directory,
    operatorDir: null,
    appVersion: 'test',
  })

test('ten runners at once apply each migration exactly once, in order', async () => {
  const database = await createDatabase({ empty: true })
  const results = await Promise.all(
    Array.from({ length: 10 }, () => runner(database).applyBuiltIn()),
  )
  const applied = results.flat().map(({ version }) => version)
  const files = (await readdir(BUILT_IN)).filter((file) => file.endsWith('.up.sql'))
  expect(applied).toEqual(files.map((file) => Number.parseInt(file, 10)).sort((a, b) => a - b))
  expect(await runner(database).applyBuiltIn()).toEqual([])
  await database.drop()
})

test('a migration that fails leaves nothing of itself, and the next run goes on from there', async () => {
  const database = await createDatabase({ empty: true })
  const directory = await copyOfMigrations()
  const broken = join(directory, '0900_broken.up.sql')
  await writeFile(broken, 'create table catalyst.half (id int);\nselect 1 / 0;')
  await expect(runner(database, directory).applyBuiltIn()).rejects.toThrow()
  expect(await database.query(`select to_regclass('catalyst.half') as half`)).toEqual([
    { half: null },
  ])
  await writeFile(broken, 'create table catalyst.half (id int);')
  expect((await runner(database, directory).applyBuiltIn()).map(({ version }) => version)).toEqual([
    900,
  ])
  await database.drop()
})

test('a file edited after it was applied, and two files of one version, are refused with the next step', async () => {
  const database = await createDatabase({ empty: true })
  const directory = await copyOfMigrations()
  await runner(database, directory).applyBuiltIn()
  const first =
    (await readdir(directory)).filter((file) => file.endsWith('.up.sql')).sort()[0] ?? ''
  const text = await readFile(join(directory, first), 'utf8')
  await writeFile(join(directory, first), text.replaceAll('\n', '\r\n'))
  expect(await runner(database, directory).applyBuiltIn()).toEqual([])
  await writeFile(join(directory, first), `${text}\nselect 1;`)
  await expect(runner(database, directory).applyBuiltIn()).rejects.toMatchObject({
    code: 'precondition_failed',
    message: expect.stringContaining('edited'),
    hint: expect.stringContaining('new migration'),
  })
  await writeFile(join(directory, '0001_again.up.sql'), 'select 1;')
  await expect(runner(database, directory).applyBuiltIn()).rejects.toMatchObject({
    message: expect.stringContaining('version 1'),
  })
  await database.drop()
})

test('a database migrated by a newer version is refused, and says so', async () => {
  const database = await createDatabase({ empty: true })
  const directory = await copyOfMigrations()
  await writeFile(join(directory, '0900_from_the_future.up.sql'), 'select 1;')
  await runner(database, directory).applyBuiltIn()
  await expect(runner(database).applyBuiltIn()).rejects.toMatchObject({
    code: 'precondition_failed',
    message: expect.stringContaining('900'),
    hint: expect.stringContaining('newer'),
  })
  await database.drop()
})
