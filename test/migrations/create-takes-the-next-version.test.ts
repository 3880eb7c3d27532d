import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { writeMigration } from '../../src/domains/migrations/new-files.js'

const parent = await mkdtemp(join(tmpdir(), 'catalyst-create-'))
afterAll(() => rm(parent, { recursive: true }))
let folders = 0
const newFolder = (): string => join(parent, `${++folders}`, 'migrations')

const files = async (folder: string) => (await readdir(folder)).sort()

test('the folder is made, and both files lie in it under the first version', async () => {
  const folder = newFolder()
  const written = await writeMigration(folder, 999, { name: 'a', up: 'select 1;\n', down: 'x' })
  expect(written).toEqual({
    version: 1_000,
    up_file: join(folder, '1000_a.up.sql'),
    down_file: join(folder, '1000_a.down.sql'),
  })
  expect(await readFile(written.up_file, 'utf8')).toBe('select 1;\n')
  expect((await stat(written.up_file)).mode & 0o777).toBe(0o644 & ~process.umask())
  expect((await stat(folder)).mode & 0o777).toBe(0o755 & ~process.umask())
  expect(await files(folder)).toEqual(['1000_a.down.sql', '1000_a.up.sql'])
})

test('the version is above those of the ledger and of every file, also of half a migration', async () => {
  const folder = newFolder()
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, '1004_half.down.sql'), '')
  const migration = { name: 'b', up: 'x', down: null }
  expect(await writeMigration(folder, 1_002, migration)).toMatchObject({
    version: 1_005,
    down_file: null,
  })
  expect(await writeMigration(folder, 1_007, migration)).toMatchObject({ version: 1_008 })
})

test('thirty at once get thirty versions, and nothing else is left in the folder', async () => {
  const folder = newFolder()
  const names = Array.from({ length: 30 }, (_, index) => `m${index}`)
  const written = await Promise.all(
    names.map((name) => writeMigration(folder, 999, { name, up: name, down: name })),
  )
  expect(written.map(({ version }) => version).sort()).toEqual(names.map((_, i) => 1_000 + i))
  expect(await files(folder)).toHaveLength(60)
  for (const [index, { up_file }] of written.entries()) {
    expect(await readFile(up_file, 'utf8')).toBe(names[index])
  }
})

test('what a crash left half written keeps its version for itself and has no name that runs', async () => {
  const folder = newFolder()
  await mkdir(join(folder, '.1000.new'), { recursive: true })
  await writeFile(join(folder, '.1000.new', 'up'), 'half of')
  const { version } = await writeMigration(folder, 999, { name: 'c', up: 'x', down: null })
  expect(version).toBe(1_001)
  expect(await files(folder)).toEqual(['.1000.new', '1001_c.up.sql'])
})

test('a folder that cannot be written is named with the next step', async () => {
  const folder = newFolder()
  await mkdir(join(folder, '..'), { recursive: true })
  await writeFile(folder, 'a file')
  const writing = writeMigration(folder, 999, { name: 'd', up: 'x', down: null })
  await expect(writing).rejects.toMatchObject({
    code: 'precondition_failed',
    message: 'The migration could not be written (EEXIST).',
    hint: expect.stringContaining(folder),
  })
})

test('after the highest version there is none', async () => {
  const folder = newFolder()
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, '2147483647_last.up.sql'), '')
  const writing = writeMigration(folder, 999, { name: 'e', up: 'x', down: null })
  await expect(writing).rejects.toMatchObject({ code: 'precondition_failed' })
  expect(await files(folder)).toEqual(['2147483647_last.up.sql'])
})
